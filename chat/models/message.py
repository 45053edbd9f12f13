"""One row per message. Messages of a conversation form a tree by parent; a branch is a path to a leaf."""

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, models
from django.db.models.functions import Coalesce

from accounts import clock
from chat.models.conversation import Conversation
from chat.providers.errors import FailureCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models.fields.related_descriptors import RelatedManager


class Role(models.TextChoices):
    USER = "user", "Question"
    ASSISTANT = "assistant", "Answer"


class State(models.TextChoices):
    """Where a message stands. Questions are complete from the start."""

    WAITING = "waiting", "Waiting for a worker"
    STREAMING = "streaming", "Being written"
    COMPLETE = "complete", "Complete"
    STOPPED = "stopped", "Stopped by the person"
    INTERRUPTED = "interrupted", "Interrupted; can be continued"  # by a worker's death, or by the greatest length
    FAILED = "failed", "Failed; can be retried"


OPEN_STATES = (State.WAITING, State.STREAMING)


class MessageQuerySet(models.QuerySet["Message"]):
    def open(self) -> "MessageQuerySet":
        """Answers that are still to be written or being written."""
        return self.filter(state__in=OPEN_STATES)

    def number(self, messages: "Sequence[Message]") -> None:
        """Give new messages their primary keys before they are stored, so that rows can point at them."""
        table = self.model._meta.db_table
        numbers = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
        with connection.cursor() as cursor:
            cursor.execute(numbers, [table, len(messages)])
            for message, (number,) in zip(messages, cursor.fetchall(), strict=True):
                message.pk = number

    def undeleted(self) -> "MessageQuerySet":
        """Messages of conversations that are not deleted; without a join, see chat/generation/lease.py."""
        return self.filter(
            models.Exists(Conversation.objects.filter(pk=models.OuterRef("conversation"), deleted_at__isnull=True))
        )

    def silent(self, at: datetime, patience: timedelta) -> "MessageQuerySet":
        """Open answers that no worker holds: the lease ran out after the last task for them was sent, or no worker
        came within `patience` of that task.
        """
        unheld = models.Q(lease_until__isnull=True) | models.Q(lease_until__lt=at)
        lost = models.Q(lease_until__isnull=False) & (
            models.Q(queued_at__isnull=True) | models.Q(queued_at__lt=models.F("lease_until"))
        )
        forgotten = models.Q(waiting_since__lt=at - patience)
        waiting = self.open().undeleted().alias(waiting_since=Coalesce("queued_at", "created_at"))
        return waiting.filter(unheld, lost | forgotten)

    def unrendered(self, before: datetime) -> "MessageQuerySet":
        """Finished answers that have text and no HTML yet."""
        finished = self.filter(role=Role.ASSISTANT, html="", finished_at__lt=before)
        return finished.exclude(state__in=OPEN_STATES).exclude(text="")


class Message(models.Model):
    Role = Role
    State = State

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    conversation = models.ForeignKey("chat.Conversation", models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")
    # Who asked, and under which number of the client's: asking twice makes one turn.
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    request = models.UUIDField(null=True, blank=True, editable=False)
    role = models.CharField(max_length=9, choices=Role.choices)
    state = models.CharField(max_length=11, choices=State.choices, default=State.COMPLETE)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    error = models.CharField(max_length=20, blank=True)  # chat/providers/errors.py: the code of a failure
    model = models.CharField(max_length=100, blank=True)
    operator = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField(null=True, blank=True)  # when a task for this answer was last sent
    # The lease of the worker that writes this answer: which attempt it is, and until when it holds.
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    stop_requested_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    if TYPE_CHECKING:
        children: RelatedManager["Message"]

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["lease_until"], name="message_open", condition=models.Q(state__in=OPEN_STATES)),
            models.Index(
                fields=["finished_at"],
                name="message_unrendered",
                condition=models.Q(role=Role.ASSISTANT, html="")
                & ~models.Q(state__in=OPEN_STATES)
                & ~models.Q(text=""),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role=Role.ASSISTANT) | models.Q(state=State.COMPLETE), name="questions_are_complete"
            ),
            models.UniqueConstraint(fields=["author", "request"], name="one_turn_per_request"),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.public_id}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def error_sentence(self) -> str:
        """Why an answer did not come to its end, for people; empty if it did, or was stopped."""
        if self.state not in (State.INTERRUPTED, State.FAILED):
            return ""
        if self.error in FailureCode:
            return str(FailureCode(self.error).label)
        interrupted = self.state == State.INTERRUPTED
        return "The answer was interrupted. What was written is kept." if interrupted else "Something went wrong."

    @property
    def can_retry(self) -> bool:
        return self.state == State.FAILED or (self.state in (State.STOPPED, State.INTERRUPTED) and not self.text)

    @property
    def was_an_answer(self) -> bool:
        """Whether its person had one, up to where they or its length ended it: going on with it is asking again."""
        return self.state == State.STOPPED or self.error == FailureCode.CUT_SHORT

    @property
    def can_continue(self) -> bool:
        return bool(self.text) and self.state in (State.STOPPED, State.INTERRUPTED, State.FAILED)
