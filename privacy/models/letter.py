"""E-mails about a safety review, a file of one's data or leaving: written down in the transaction of the act they tell
of, sent after it.
"""

from django.conf import settings
from django.db import models

from accounts import clock


class LetterQuerySet(models.QuerySet["Letter"]):
    def waiting(self) -> "LetterQuerySet":
        """Those to be sent: an account that is shut gets none but the one that says so."""
        open_or_told = models.Q(user__is_active=True) | models.Q(what=Letter.What.LEAVING)
        return self.filter(open_or_told, sent_at__isnull=True)


class Letter(models.Model):
    """One e-mail to one person. It outlives the review, so that the end of one is told although its chat is purged."""

    class What(models.TextChoices):
        FLAGGED = "flagged", "A chat is under review"
        UPHELD = "upheld", "An appeal is answered, and the review goes on"
        ENDED = "ended", "A review has ended"
        LEAVING = "leaving", "The account is going to be deleted"
        READY = "ready", "The file of one's data is made"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    what = models.CharField(max_length=7, choices=What)
    about = models.UUIDField()  # the public id of the flag or the file, or the certificate of who leaves
    message_id = models.CharField(max_length=120, unique=True)
    written_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["id"], name="letter_waiting", condition=models.Q(sent_at__isnull=True))]

    def __str__(self) -> str:
        return f"Letter {self.pk}"
