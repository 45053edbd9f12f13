"""What must still follow a purge outside the database."""

from datetime import datetime

from django.db import models

from accounts import clock


class OutboxQuerySet(models.QuerySet["Outbox"]):
    def due(self, at: datetime) -> "OutboxQuerySet":
        return self.filter(next_at__lte=at).order_by("pk")


class Outbox(models.Model):
    """Keys that a store beside the database must forget. Written in the purge's transaction, gone once it has.

    Keys are random numbers of what was purged: never words, never people.
    """

    store = models.CharField(max_length=30)
    event = models.BigIntegerField(null=True, editable=False)  # the ledger's, of the purge that this follows
    keys = models.JSONField()
    written_at = models.DateTimeField(default=clock.now)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(default=clock.now, db_index=True)
    failure = models.CharField("last failure", max_length=60, blank=True)  # the kind of the error, and no more

    objects = OutboxQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = verbose_name_plural = "outbox"

    def __str__(self) -> str:
        return f"{self.store} since {self.written_at:%Y-%m-%d %H:%M}"


class Forgotten(models.Model):
    """That a store outside the database has forgotten so many keys of one purge, and when it said so."""

    store = models.CharField(max_length=30)
    event = models.BigIntegerField(db_index=True)
    keys = models.PositiveIntegerField()
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.store} after {self.event}"
