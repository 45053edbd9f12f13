"""Training sets: which conversations are in which one, under a key that says nothing of them, and who trained on it.

A member's key is random and made for one set, so nothing in a set leads to a conversation, a person or another set. The
way back is the member's row alone. When its conversation is purged the row forgets it (`conversation` NULL) and keeps
the key, which stays on the set's drop list for as long as the set is known.
"""

import secrets
import uuid
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import models

from accounts import clock
from chat.models.conversation import Conversation
from chat.models.message import Message

INCLUDED = "included"


def _secret() -> bytes:
    return secrets.token_bytes(32)


class SetState(models.TextChoices):
    BUILDING = "building", "Being built"
    BUILT = "built", "Built, not sealed"
    SEALED = "sealed", "Sealed"
    RELEASED = "released", "Released"


class Format(models.TextChoices):
    PARQUET = "parquet", "Parquet"
    JSONL = "jsonl", "JSON lines"


class TrainingSetQuerySet(models.QuerySet["TrainingSet"]):
    def handed_out(self) -> "TrainingSetQuerySet":
        """Those that training may have, or has, been done with."""
        return self.filter(state=SetState.RELEASED)

    def unfinished(self) -> "TrainingSetQuerySet":
        return self.filter(state=SetState.BUILDING)


class TrainingSet(models.Model):
    State = SetState
    Format = Format

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=8, choices=SetState.choices, default=SetState.BUILDING)
    format = models.CharField(max_length=7, choices=Format.choices, default=Format.PARQUET)
    reason = models.TextField(blank=True)  # who asked for it stands in the ledger
    secret = models.BinaryField(max_length=32, default=_secret, editable=False)  # what message keys are made with
    filter = models.CharField("filter version", max_length=40, blank=True)  # empty: unfiltered, never to be sealed
    snapshot_at = models.DateTimeField(default=clock.now)
    built_at = models.DateTimeField(null=True, blank=True)
    sealed_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    total = models.PositiveIntegerField("eligible", default=0)
    not_eligible = models.JSONField(default=dict, blank=True)  # at the snapshot, by reason
    manifest = models.TextField(blank=True, editable=False)  # byte for byte what the file says
    manifest_hash = models.CharField("SHA-256 of the manifest", max_length=64, blank=True, editable=False)

    objects = TrainingSetQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [("build_training_set", "Can have a training set built, sealed and released")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[SetState.BUILDING, SetState.BUILT]) | ~models.Q(filter=""),
                name="only_what_was_filtered_is_sealed",
            )
        ]

    def __str__(self) -> str:
        return f"Training set {self.public_id}"

    @property
    def folder(self) -> Path:
        return Path(settings.TRAINING_DIR) / str(self.public_id)


class ChunkQuerySet(models.QuerySet["TrainingChunk"]):
    def free(self, silent_since: datetime) -> "ChunkQuerySet":
        """Chunks that nobody has taken, or whose worker has not been heard of since then."""
        taken = models.Q(taken_at__isnull=True) | models.Q(taken_at__lt=silent_since)
        return self.filter(taken, done_at__isnull=True)


class TrainingChunk(models.Model):
    """So many members, whose shards one worker writes: `files` names them with their hashes."""

    training_set = models.ForeignKey(TrainingSet, models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    taken_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    files = models.JSONField(default=list)
    permissions = models.JSONField(default=dict)  # how many conversations by what allowed them

    objects = ChunkQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["training_set", "number"], name="one_chunk_per_number")]

    def __str__(self) -> str:
        return f"Chunk {self.number} of {self.training_set_id}"


class TrainingMember(models.Model):
    """A conversation that was eligible at a set's snapshot, and what became of it: `included`, or why it is left out.

    With a `message`, an answer, it is that one exchange of the conversation, by a permission of its own.
    `dropped_at` is when an included one was first found to train no more; it never comes back onto the right side.
    """

    training_set = models.ForeignKey(TrainingSet, models.CASCADE, related_name="members")
    # NULL: purged. The sweep deletes beside the ORM, and lets go of these rows first (chat/holding.py).
    conversation = models.ForeignKey(Conversation, models.SET_NULL, null=True, related_name="+")
    message = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="+")
    key = models.UUIDField(default=uuid.uuid4)
    chunk = models.PositiveIntegerField()
    outcome = models.CharField(max_length=16, blank=True)  # chat/training/outcomes.py; empty: not read yet
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["training_set", "chunk"], name="member_of_chunk")]

    def __str__(self) -> str:
        return str(self.key)


class TrainingRun(models.Model):
    """A run that asked, before it began, what to leave out of a set."""

    training_set = models.ForeignKey(TrainingSet, models.CASCADE, related_name="runs")
    name = models.CharField(max_length=200)
    checked_at = models.DateTimeField(default=clock.now)
    to_drop = models.PositiveIntegerField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.name}, {self.checked_at:%Y-%m-%d %H:%M}"

    def used(self) -> "models.QuerySet[TrainingMember]":
        """What it was left with."""
        members = TrainingMember.objects.filter(training_set=self.training_set_id, outcome=INCLUDED)
        return members.filter(models.Q(dropped_at__isnull=True) | models.Q(dropped_at__gt=self.checked_at))
