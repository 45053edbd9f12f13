"""A thumb for an answer, with what its person said beside it, and whether that one exchange may train models."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models

from accounts import clock
from chat.models.message import Message

COMMENT_LENGTH = 1_000


class Thumb(models.TextChoices):
    UP = "up", "Good answer"
    DOWN = "down", "Bad answer"


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def allowing(self) -> "FeedbackQuerySet":
        """Whose person said yes, of a question of their own in a conversation of theirs."""
        return self.filter(
            may_train=True, message__conversation__author=models.F("user"), message__parent__author=models.F("user")
        )

    def objecting(self) -> "FeedbackQuerySet":
        return self.filter(may_train=False)


class Feedback(models.Model):
    """`may_train` NULL is no answer, which permits nothing; the general choice then stands alone."""

    Thumb = Thumb

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)  # what the ledger knows it by
    message = models.ForeignKey(Message, models.CASCADE, related_name="feedback")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    thumb = models.CharField(max_length=4, choices=Thumb.choices)
    comment = models.TextField(blank=True)
    may_train = models.BooleanField(null=True)
    given_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "user"], name="one_feedback_of_each"),
            models.CheckConstraint(condition=models.Q(thumb__in=Thumb.values), name="thumb_is_up_or_down"),
            models.CheckConstraint(
                condition=models.Q(may_train__isnull=True, decided_at__isnull=True)
                | models.Q(may_train__isnull=False, decided_at__isnull=False),
                name="an_answer_has_its_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"Feedback {self.key}"

    @property
    def stands(self) -> str:
        """A name for the answer that stands: a form that was shown beside another one is out of date."""
        answers: dict[Any, str] = {None: "", True: "yes", False: "no"}
        return answers[self.may_train]
