"""What must outlive a backup: deletions, erasures, withdrawals and holds, on their way to a log outside the database.

Triggers write these rows in the transaction that decides (privacy/migrations/0021_guard.py), so that no door can forget
it; privacy/guard/log.py carries them over. They hold random keys, numbers and moments: no word, no name, no address.
"""

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models.functions import Now


class GuardEntry(models.Model):
    key = models.UUIDField(db_default=RandomUUID(), unique=True, editable=False)
    kind = models.CharField(max_length=12)
    said = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())
    sequence = models.BigIntegerField(null=True, unique=True)  # its place in the log; NULL until it is there

    class Meta:
        indexes = [
            models.Index(fields=["id"], name="guard_entry_waiting", condition=models.Q(sequence__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
