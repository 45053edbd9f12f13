"""The Merkle tree over the ledger (RFC 6962), and its signed heads. Append-only, like the ledger itself.

Events take no part in it when they are written: the builder (privacy/evidence/tree.py) gives positions afterwards.
"""

from typing import Any

from django.db import models

from accounts import clock
from privacy.canonical import moment
from privacy.models.ledger import Event


class Leaf(models.Model):
    position = models.PositiveBigIntegerField(primary_key=True)
    event = models.OneToOneField(Event, models.PROTECT, related_name="leaf")
    hash = models.CharField(max_length=64)  # of the leaf: SHA-256(0x00, the event's hash)

    class Meta:
        verbose_name_plural = "leaves"

    def __str__(self) -> str:
        return str(self.position)


class TreeNode(models.Model):
    """A complete subtree of 2^level leaves, from leaf index * 2^level on. Level 0 is `Leaf`."""

    level = models.PositiveSmallIntegerField()
    index = models.PositiveBigIntegerField()
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["level", "index"], name="one_node_each")]

    def __str__(self) -> str:
        return f"{self.level}/{self.index}"


class LedgerKey(models.Model):
    """A public key (Ed25519) that heads are signed with; the newest signs. Each but the first is vouched for by the
    one before it, so that whoever trusts the first can follow."""

    key_id = models.CharField(max_length=16, unique=True)
    public = models.CharField(max_length=64)  # base64
    from_at = models.DateTimeField(default=clock.now)
    vouched_by = models.CharField(max_length=16, blank=True)
    voucher = models.CharField(max_length=128, blank=True)  # base64 signature of the key before

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.key_id

    def published(self) -> dict[str, str]:
        return {
            "key": self.key_id,
            "public": self.public,
            "from": moment(self.from_at),
            "vouched_by": self.vouched_by,
            "voucher": self.voucher,
        }


class TreeHead(models.Model):
    """The root over the first `size` leaves, signed at a moment (its form: privacy/evidence/heads.py)."""

    origin = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    root = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now, db_index=True)
    key_id = models.CharField(max_length=16)
    signature = models.CharField(max_length=128)  # base64

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.size} leaves at {self.at:%Y-%m-%d %H:%M}"

    def published(self) -> dict[str, Any]:
        return {
            "origin": self.origin,
            "size": self.size,
            "root": self.root,
            "at": moment(self.at),
            "key": self.key_id,
            "signature": self.signature,
        }
