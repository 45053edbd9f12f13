"""What people were shown and reminded of: what pages, reminders and figures read. The ledger has the evidence."""

from django.conf import settings
from django.db import models

from accounts import clock
from privacy.models.terms import Terms
from privacy.vocabulary import Order, Source


class Notice(models.Model):
    """That a person was shown a version, in one form and language, and whether they put the answer off."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    terms = models.ForeignKey(Terms, models.PROTECT, related_name="+")
    source = models.CharField(  # terms are shown nowhere beside an answer of a chat
        max_length=16, choices=[(source.value, source.value) for source in Source if source is not Source.CHAT]
    )
    order = models.CharField(max_length=12, choices=[(order.value, order.value) for order in Order])
    language = models.CharField(max_length=10)
    event = models.UUIDField(editable=False)  # key of the ledger's event
    shown_at = models.DateTimeField(default=clock.now)
    deferred_at = models.DateTimeField(null=True, blank=True)
    deferrals = models.PositiveSmallIntegerField(default=0)
    gpc = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "terms", "source", "order", "language"], name="one_notice_of_each_form"
            )
        ]

    def __str__(self) -> str:
        return f"{self.terms_id} shown to {self.user_id}"


class Reminder(models.Model):
    """One reminder to one person: claimed before it is sent, so that a restart never doubles it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reminders")
    terms = models.ForeignKey(Terms, models.PROTECT, related_name="+")
    deadline = models.DateTimeField()  # the one it speaks of: a moved deadline is another
    days = models.PositiveSmallIntegerField()
    message_id = models.CharField(max_length=120, unique=True)
    claimed_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "terms", "deadline", "days"], name="one_reminder_of_each")
        ]
        indexes = [
            models.Index(fields=["deadline"], name="reminder_waiting", condition=models.Q(sent_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.days} days before {self.deadline:%Y-%m-%d}, to {self.user_id}"
