"""Who may read what is held or under review, and each time that somebody did."""

import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

from accounts import clock
from privacy.models.flag import Flag
from privacy.models.hold import Hold

if TYPE_CHECKING:
    from accounts.models import User


class ReaderQuerySet(models.QuerySet["Reader"]):
    def of(self, of: Hold | Flag) -> "ReaderQuerySet":
        """Those whom this hold or review names."""
        return self.filter(**{of._meta.model_name or "": of})

    def named(self, user: "User") -> "ReaderQuerySet":
        return self.filter(user=user)


class Reader(models.Model):
    """One member of staff, named by one hold or one flag."""

    hold = models.ForeignKey(Hold, models.CASCADE, null=True, blank=True, related_name="readers")
    flag = models.ForeignKey(Flag, models.CASCADE, null=True, blank=True, related_name="readers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    objects = ReaderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(hold__isnull=False, flag__isnull=True)
                | models.Q(hold__isnull=True, flag__isnull=False),
                name="a_reader_is_named_by_one_thing",
            ),
            models.UniqueConstraint(fields=["hold", "user"], name="named_once_by_a_hold"),
            models.UniqueConstraint(fields=["flag", "user"], name="named_once_by_a_flag"),
        ]

    def __str__(self) -> str:
        return f"Reader {self.pk}"


class ReadingQuerySet(models.QuerySet["Reading"]):
    def of(self, row: Any) -> "ReadingQuerySet":
        """Those of one conversation."""
        return self.filter(kind=row._meta.label_lower, key=row.public_id)


class Reading(models.Model):
    """One opening of one conversation by a named reader. No word of it; it outlives hold, flag and conversation."""

    at = models.DateTimeField(default=clock.now)
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    under = models.CharField(max_length=40)  # which hold or flag, by its number
    kind = models.CharField(max_length=60)
    key = models.UUIDField()
    event = models.UUIDField(default=uuid.uuid4)  # the key of the ledger's event

    objects = ReadingQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [("read_held", "Can be named to read what is held or under review")]
        indexes = [models.Index(fields=["key"], name="reading_of_conversation")]

    def __str__(self) -> str:
        return f"Reading {self.pk}"
