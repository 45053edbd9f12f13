"""What a person has deleted and is purged: so that they find its certificate again, and no word of what it was."""

from django.conf import settings
from django.db import models


class Deletion(models.Model):
    """One conversation's. Forgotten after a year, or with the person."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.UUIDField()
    deleted_at = models.DateTimeField()
    purged_at = models.DateTimeField()

    class Meta:
        ordering = ["-purged_at", "-pk"]
        indexes = [models.Index(fields=["user", "-purged_at"], name="deletions_of_person")]

    def __str__(self) -> str:
        return str(self.key)


class AccountCertificate(models.Model):
    """Of an account that is gone. It names nobody: whoever left was given its key."""

    key = models.UUIDField(unique=True)
    event = models.BigIntegerField()  # the ledger's, which holds the digest of `said`
    said = models.JSONField()
    issued_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.key)
