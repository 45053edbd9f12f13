"""The file of one's data that is made in the background, to be fetched while its time lasts (privacy/exporting)."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models

from accounts import clock


class State(models.TextChoices):
    MAKING = "making", "Being made"
    READY = "ready", "Ready"
    FAILED = "failed", "Could not be made"
    EXPIRED = "expired", "Its time is over"


class Failure(models.TextChoices):
    NO_ROOM = "no_room", "There was no room for it"
    BROKEN = "broken", "It failed several times"


class ExportQuerySet(models.QuerySet["Export"]):
    def being_made(self) -> "ExportQuerySet":
        return self.filter(state=State.MAKING)

    def in_hand(self, at: datetime) -> "ExportQuerySet":
        """Those that a worker has at this moment."""
        return self.being_made().filter(held_until__gte=at)

    def free(self, at: datetime) -> "ExportQuerySet":
        """Those that no worker has, or whose worker has not been heard of for too long."""
        return self.being_made().filter(models.Q(held_until__isnull=True) | models.Q(held_until__lt=at))

    def ready(self, at: datetime) -> "ExportQuerySet":
        return self.filter(state=State.READY, expires_at__gt=at)

    def over(self, at: datetime) -> "ExportQuerySet":
        """Those whose file has to go."""
        return self.filter(state=State.READY, expires_at__lte=at)


class Export(models.Model):
    """One person's, and the last that they asked for: asking again takes the place of the earlier one."""

    State = State
    Failure = Failure

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=7, choices=State.choices, default=State.MAKING)
    asked_at = models.DateTimeField(default=clock.now)
    queued_at = models.DateTimeField(default=clock.now)  # when a task for it was last sent

    # The lease of the worker that makes it: which attempt it is, and until when it holds. NULL: handed back.
    attempt = models.PositiveIntegerField(default=0)
    held_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)  # since it last came further
    failure = models.CharField(max_length=7, choices=Failure.choices, blank=True)

    # How far it is: what of both of its files is whole (privacy/exporting/archive.py), and where reading goes on.
    offset = models.BigIntegerField(default=0)
    directory = models.BigIntegerField(default=0)
    members = models.BigIntegerField(default=0)
    reached = models.JSONField(default=dict, blank=True)  # by step, the last primary key
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)

    made_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)
    bytes = models.BigIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state=State.READY) | models.Q(expires_at__isnull=False, bytes__isnull=False),
                name="ready_has_an_end",
            )
        ]

    def __str__(self) -> str:
        return f"Export of {self.asked_at:%Y-%m-%d %H:%M}"
