"""Safety reviews: a conversation that staff has flagged, what its author is told, and their appeal."""

import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

from accounts import clock

if TYPE_CHECKING:
    from accounts.models import User

APPEAL_LENGTH = 2_000


class FlagQuerySet(models.QuerySet["Flag"]):
    def standing(self) -> "FlagQuerySet":
        return self.filter(released_at__isnull=True)

    def on(self, row: Any) -> "FlagQuerySet":
        """Those on one conversation, the latest first."""
        return self.filter(kind=row._meta.label_lower, key=row.public_id)

    def of(self, user: "User") -> "FlagQuerySet":
        """Those that this person is told of."""
        return self.filter(person=user)

    def covered(self, label: str) -> models.Q:
        """The rows of one model (by its label) that these cover."""
        return models.Q(public_id__in=self.filter(kind=label).values("key"))


class Flag(models.Model):
    """On one conversation (by kind and key). Who raised and ended it is in the ledger."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=60)
    key = models.UUIDField()
    # Who is told and may appeal; NULL: the conversation has no author (any more).
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.TextField()
    told = models.TextField()
    flagged_at = models.DateTimeField(default=clock.now)
    released_at = models.DateTimeField(null=True, blank=True)
    release_reason = models.TextField(blank=True)

    objects = FlagQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [("place_flag", "Can flag conversations, answer appeals and end reviews")]
        indexes = [models.Index(fields=["key"], name="flag_of_conversation")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=models.Q(released_at__isnull=True), name="one_review_at_a_time"
            ),
            models.CheckConstraint(
                condition=~models.Q(reason="") & ~models.Q(told=""), name="a_review_is_reasoned_and_told"
            ),
        ]

    def __str__(self) -> str:
        return f"Flag {self.pk}"

    @property
    def on(self) -> str:
        return f"conversation {self.key}"


class Appeal(models.Model):
    """What the author says against a flag, once. It goes with the flag, which goes with its conversation."""

    class Answer(models.TextChoices):
        UPHELD = "upheld", "The review goes on"
        GRANTED = "granted", "The review was ended"

    flag = models.OneToOneField(Flag, models.CASCADE, primary_key=True, related_name="appeal")
    text = models.TextField(max_length=APPEAL_LENGTH)
    made_at = models.DateTimeField(default=clock.now)
    answer = models.CharField(max_length=7, choices=Answer, blank=True)
    told = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Appeal against flag {self.flag_id}"
