"""What each run of the sweep did."""

from django.db import models

from accounts import clock


class SweepRun(models.Model):
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    purged = models.PositiveIntegerField(default=0)
    by_class = models.JSONField(default=dict)
    erased = models.PositiveIntegerField("people erased", default=0)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Sweep of {self.started_at:%Y-%m-%d %H:%M}"
