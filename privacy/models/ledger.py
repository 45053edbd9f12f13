"""Evidence: an append-only ledger without people in it, and the tombstones of what was purged.

An event knows a subject, which is a random number. Who that is stands in a link of its own (`Subject`), so that
erasing a person drops the link and leaves the evidence. Triggers refuse UPDATE, DELETE and TRUNCATE on both tables
(privacy/migrations/0002_append_only.py), whoever asks.
"""

import uuid
from typing import Any

from django.conf import settings
from django.db import models

from accounts import clock
from privacy.vocabulary import Act


class Subject(models.Model):
    """The link between a person and the evidence about them."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="subject")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    def __str__(self) -> str:
        return str(self.key)


class EventQuerySet(models.QuerySet["Event"]):
    def of(self, user: Any) -> "EventQuerySet":
        return self.filter(subject__in=Subject.objects.filter(user=user).values("key")).order_by("-pk")


class Event(models.Model):
    """One act. What it says is bound by `hash` to the subject's event before it, and by `mac` to a key held elsewhere.

    `hash` is SHA-256 over the canonical JSON of what it says (privacy/evidence/entry.py), `previous` among it.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    subject = models.UUIDField(null=True, blank=True)
    actor = models.UUIDField(null=True, blank=True)
    act = models.CharField(max_length=24)  # an Act; no choices, for a new act needs no migration
    terms = models.CharField("terms (SHA-256)", max_length=64, blank=True)
    source = models.CharField(max_length=16)  # a Source
    at = models.DateTimeField(default=clock.now)
    detail = models.JSONField(default=dict, blank=True)
    context = models.JSONField(default=dict, blank=True)  # address and agent, as salted hashes
    previous = models.CharField(max_length=64, blank=True, editable=False)  # hash of the subject's event before
    hash = models.CharField("SHA-256", max_length=64, editable=False)
    mac = models.CharField("HMAC-SHA256", max_length=64, editable=False)
    mac_key = models.CharField(max_length=16, editable=False)  # the id of the key, which no database holds

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = "ledger event"
        indexes = [models.Index(fields=["subject", "id"], name="event_of_subject")]
        constraints = [models.UniqueConstraint(fields=["subject", "previous"], name="one_event_follows_another")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.act}"

    @property
    def sentence(self) -> str:
        return Act(self.act).sentence


class ContextSalt(models.Model):
    """What addresses and agents are hashed with for a while. Once dropped, nobody can guess them from their hashes."""

    salt = models.BinaryField(max_length=32)
    from_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"Salt of {self.from_at:%Y-%m-%d}"


class Tombstone(models.Model):
    """What was purged: which kind of thing, by which key, when and why. Never what it said."""

    kind = models.CharField(max_length=60)
    key = models.UUIDField()
    retention_class = models.CharField(max_length=10)
    cause = models.CharField(max_length=10, choices=[("deleted", "Deleted by the person"), ("expired", "Expired")])
    purged_at = models.DateTimeField(default=clock.now)
    # The event that holds the root over this one and its chunk's others; no constraint, for neither ever goes.
    event = models.BigIntegerField(null=True, editable=False)
    # What went with it, in numbers, and which operators of models had received its words (holdings.Went).
    went = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="one_tombstone_each")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
