"""Legal holds: what must not be purged, and trains nothing, until staff releases it."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models

from accounts import clock


class HoldQuerySet(models.QuerySet["Hold"]):
    def standing(self) -> "HoldQuerySet":
        return self.filter(released_at__isnull=True)

    def standing_at(self, at: datetime) -> "HoldQuerySet":
        """Those that were placed by then, and not released."""
        return self.filter(models.Q(released_at__isnull=True) | models.Q(released_at__gt=at), placed_at__lte=at)

    def over(self, row: Any) -> "HoldQuerySet":
        """Those under which a row of this author in this workspace is from its beginning on."""
        return self.standing().filter(models.Q(user=row.author_id) | models.Q(workspace=row.workspace_id))

    def covered(self, label: str) -> models.Q:
        """The rows of one model (by its label) that these cover."""
        keys = self.filter(kind=label)
        return (
            models.Q(author__in=self.filter(user__isnull=False).values("user"))
            | models.Q(workspace__in=self.filter(workspace__isnull=False).values("workspace"))
            | models.Q(public_id__in=keys.values("key"))
        )


class Hold(models.Model):
    """On a person, a workspace, or one conversation (by kind and key). Who placed and released it is in the ledger."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+")
    workspace = models.ForeignKey("accounts.Workspace", models.CASCADE, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=60, blank=True)
    key = models.UUIDField(null=True, blank=True)
    reason = models.TextField()
    placed_at = models.DateTimeField(default=clock.now)
    released_at = models.DateTimeField(null=True, blank=True)
    release_reason = models.TextField(blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [("place_hold", "Can place legal holds and release them")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, workspace__isnull=True, key__isnull=True)
                | models.Q(user__isnull=True, workspace__isnull=False, key__isnull=True)
                | models.Q(user__isnull=True, workspace__isnull=True, key__isnull=False),
                name="a_hold_is_on_one_thing",
            )
        ]

    def __str__(self) -> str:
        return f"Hold {self.pk}"

    @property
    def on(self) -> str:
        return f"conversation {self.key}" if self.key else str(self.user or self.workspace)
