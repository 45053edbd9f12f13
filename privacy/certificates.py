"""Deletion certificates: what went, from where and when, and the proof that the ledger says so.

One for each conversation that was deleted and for each account. Whoever has the key of what was deleted, a random
number that stood in its address, can read it; it names nobody and quotes nothing. It is issued once every store has
forgotten and the event stands under a signed head. docs/certificates.md says how to check one without this server.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Max

from privacy.canonical import moment
from privacy.evidence import entry, keys, merkle, tree
from privacy.evidence.receipt import SAID
from privacy.holdings import all_holdings, tagged_holdings
from privacy.models import Event, Forgotten, Outbox, Tombstone

FORM = "parley-deletion-certificate/1"


@dataclass(frozen=True)
class Store:
    """One place where something was: how much of it, and since when it is gone. Without a moment, it is not yet."""

    name: str
    count: int
    at: datetime | None

    @property
    def called(self) -> Any:
        return _called().get(self.name, self.name)


@dataclass(frozen=True)
class Operator:
    """Who ran a model that received the words, and what is stated of what they keep. They are beyond reach."""

    name: str
    keeps: str


@dataclass(frozen=True)
class Certificate:
    """What is known of one deletion. `purge_by` is set while it waits, `document` once the certificate is issued.

    What was purged before there were certificates has none, and is not `provable`.
    """

    key: UUID
    kind: str
    cause: str = "deleted"
    deleted_at: datetime | None = None
    purge_by: datetime | None = None
    stores: list[Store] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    proof: Mapping[str, Any] | None = None
    provable: bool = True

    @property
    def purged_at(self) -> datetime | None:
        """When the last of it went; None while something is left."""
        gone = [store.at for store in self.stores]
        return max(at for at in gone if at) if gone and all(gone) else None

    @property
    def document(self) -> dict[str, Any] | None:
        if self.purged_at is None or self.proof is None:
            return None
        return {
            "form": FORM,
            "made_by": {"name": settings.CONTROLLER["name"], "address": settings.LINK_ORIGIN},
            "of": {"kind": self.kind, "key": str(self.key), "cause": self.cause},
            "purged_at": moment(self.purged_at),
            "stores": [_said(store) for store in self.stores],
            "beyond_reach": [{"operator": one.name, "states": one.keeps} for one in self.operators],
            "proof": self.proof,
        }


def find(key: UUID) -> Certificate | None:
    """What is known of the deletion of what had this key; None where nothing of that key was deleted."""
    stone = Tombstone.objects.filter(key=key).first()
    if stone:
        return _of_tombstone(stone)
    for _holding, model in tagged_holdings():
        row = model._default_manager.filter(public_id=key, deleted_at__isnull=False).first()
        if row:
            return Certificate(key, model._meta.label_lower, deleted_at=row.deleted_at, purge_by=row.purge_after)
    return None


def _said(store: Store) -> dict[str, Any]:
    assert store.at
    return {"name": store.name, "count": store.count, "gone_at": moment(store.at)}


def _called() -> dict[str, Any]:
    return {name: said for holding in all_holdings() for name, said in holding.called.items()}


# --- Of a conversation --------------------------------------------------------------


def _of_tombstone(stone: Tombstone) -> Certificate:
    event = Event.objects.filter(pk=stone.event).first() if stone.event else None
    operators = [operator(name) for name in stone.went.get("operators", [])]
    proof = _proof(stone, event) if event else None
    said: dict[str, Any] = {"stores": list(_stores(stone)), "operators": operators, "proof": proof}
    return Certificate(stone.key, stone.kind, stone.cause, provable=event is not None, **said)


def _stores(stone: Tombstone) -> Iterator[Store]:
    yield Store(stone.kind, 1, stone.purged_at)
    for name, count in stone.went.get("rows", {}).items():
        yield Store(name, count, stone.purged_at)
    for name, count in stone.went.get("stores", {}).items():
        yield Store(name, count, _forgotten_at(name, stone))


def _forgotten_at(store: str, stone: Tombstone) -> datetime | None:
    """When a store had forgotten everything of that purge; None while some of it waits."""
    assert stone.event
    if Outbox.objects.filter(event=stone.event, store=store).exists():
        return None
    at: datetime | None = Forgotten.objects.filter(event=stone.event, store=store).aggregate(at=Max("at"))["at"]
    return at


def operator(name: str) -> Operator:
    """What is stated of what an operator keeps, as far as this installation knows (`MODEL_OPERATOR_RETENTION`)."""
    return Operator(name, settings.MODEL["operator_retention"] if name == settings.MODEL["operator"] else "")


# --- The proof ----------------------------------------------------------------------


def leaf(kind: str, key: UUID, cause: str) -> bytes:
    """What a chunk's root says of one thing that was purged: the leaf's content, before it is hashed."""
    return f"{kind}:{key}:{cause}".encode()


def _proof(stone: Tombstone, event: Event) -> dict[str, Any] | None:
    """That the event's root is over this tombstone, and that the event is in the ledger; None while it is sealed."""
    sealed = sealed_proof(event)
    stones = list(Tombstone.objects.filter(event=event.pk).order_by("pk"))
    hashes = [merkle.leaf_hash(leaf(one.kind, one.key, one.cause)) for one in stones]
    index = stones.index(stone)
    path = [node.hex() for node in merkle.inclusion_path(index, hashes)]
    said = leaf(stone.kind, stone.key, stone.cause).decode()
    return sealed and {"leaf": said, "index": index, "count": len(hashes), "path": path, **sealed}


def sealed_proof(event: Event) -> dict[str, Any] | None:
    """An event with its place under the latest head, and the keys; None while it has none."""
    found = tree.proof_of(event)
    if found is None:
        return None
    said = entry.said(**{name: getattr(event, name) for name in SAID})
    return {
        "event": said,
        "position": found.position,
        "event_path": found.path,
        "head": found.head,
        "keys": keys.listed(),
    }


__all__ = ["FORM", "Certificate", "Operator", "Store", "find", "leaf", "operator", "sealed_proof"]
