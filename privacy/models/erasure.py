"""Accounts that are being erased: what is still to be done, so that a lost task is found and taken up again."""

from collections.abc import Collection
from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.db import models

from accounts import clock


class ErasureQuerySet(models.QuerySet["Erasure"]):
    def due(self, at: datetime) -> "ErasureQuerySet":
        """Those whose person can no longer come back."""
        return self.filter(due_at__lte=at)

    def silent(self, before: datetime) -> "ErasureQuerySet":
        """Those at which nobody has worked since then."""
        return self.filter(worked_at__lt=before)

    def waiting(self, holdings: Collection[str]) -> "ErasureQuerySet":
        """Those where nothing is left to do but in these holdings."""
        return self.filter(remaining__contained_by=list(holdings))


class Erasure(models.Model):
    """One person's. It goes with the person, so that nothing of it outlives them."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="erasure")
    asked_at = models.DateTimeField(default=clock.now)
    due_at = models.DateTimeField(default=clock.now)  # until then the person may come back
    certificate = models.UUIDField(default=uuid4, unique=True, editable=False)
    worked_at = models.DateTimeField(default=clock.now)
    remaining = models.JSONField(default=list)  # names of the holdings that still have something
    gone = models.JSONField(default=dict)  # by name of the holding: how many rows went, and when the last did

    objects = ErasureQuerySet.as_manager()

    class Meta:
        ordering = ["asked_at"]

    def __str__(self) -> str:
        return f"Erasure of {self.asked_at:%Y-%m-%d %H:%M}"

    @property
    def days(self) -> int:
        """How many the person has to come back."""
        return (self.due_at - self.asked_at).days
