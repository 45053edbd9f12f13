"""What each comparison of all tags with the policy found: numbers, and public keys of a few, never words."""

from datetime import timedelta

from django.db import models

from accounts import clock


class TagCheck(models.Model):
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)  # NULL: it was broken off, or is not through
    slow = models.BooleanField("one by one", default=False)
    checked = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField("waiting for a re-tag", default=0)  # not compared
    drifted = models.PositiveIntegerField(default=0)
    by_column = models.JSONField(default=dict, blank=True)
    by_reason = models.JSONField("by stored class and reason", default=dict, blank=True)
    examples = models.JSONField(default=list, blank=True)  # kind, key, columns

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Check of tags of {self.started_at:%Y-%m-%d %H:%M}"

    def duration(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.finished_at else None
