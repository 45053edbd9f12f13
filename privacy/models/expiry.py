"""What people are told of ends that come near: one digest a day, and what they want to hear."""

from django.conf import settings
from django.db import models

from accounts import clock


class ExpiryNotice(models.Model):
    """One digest to one person: claimed before it is sent, so that a restart never doubles it.

    It stands for every chat that ends before `week_until` (told of a week ahead) and before `day_until` (told of the
    day before): the next one is due only once something ends later than that. So nothing is written down chat by chat,
    and a chat whose end has moved out is told of anew when it comes near again.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="expiry_notices")
    day = models.DateField()  # of the person's own
    week_until = models.DateTimeField()
    day_until = models.DateTimeField()
    message_id = models.CharField(max_length=120, unique=True)
    claimed_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "day"], name="one_expiry_notice_a_day")]
        indexes = [
            models.Index(fields=["id"], name="expiry_notice_unsent", condition=models.Q(sent_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"What ends soon, of {self.day}, to {self.user_id}"


class ExpirySetting(models.Model):
    """What a person wants to hear of ends; whoever has no row hears all of it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    mails = models.BooleanField(default=True)
    seen_until = models.DateTimeField(null=True, blank=True)  # the line beside the chats was put away up to here

    def __str__(self) -> str:
        return f"What {self.user_id} wants to hear of ends"
