"""Deletion certificates: what went, from where and when, and the proof that the ledger says so.

One for each conversation that was deleted and for each account. Whoever has the key of what was deleted, a random
number that stood in its address, can read it; it names nobody and quotes nothing. It is issued once every store has
forgotten and the event stands under a signed head. docs/certificates.md says how to check one without this server.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Max
from django.utils.dateparse import parse_datetime

from accounts import clock
from privacy import ledger
from privacy.canonical import digest, moment
from privacy.evidence import entry, keys, merkle, tree
from privacy.evidence.receipt import SAID
from privacy.holdings import all_holdings, tagged_holdings
from privacy.models import AccountCertificate, Deletion, Erasure, Event, Forgotten, GuardEntry, Outbox, Tombstone
from privacy.vocabulary import Act, Source

FORM = "parley-deletion-certificate/1"
ACCOUNT = "account"
# One statement writes the tombstones of a chunk, beside those of a few other workers at most: no index finds them.
NEIGHBOURS = 20_000


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
    said: Mapping[str, Any] | None = None  # of an account, which was written down
    parts: tuple[int, int] | None = None  # how many parts of an account are gone, and of how many
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
        if self.said:
            return {**self.said, "proof": self.proof}
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
    if account := AccountCertificate.objects.filter(key=key).first():
        return _of_account(account)
    if erasure := Erasure.objects.filter(certificate=key).first():
        return _of_erasure(erasure)
    if stone := Tombstone.objects.filter(key=key).first():
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


def _is_logged(**said: Any) -> bool:
    """Whether the log outside the database knows it: from then on no backup brings it back (privacy/guard/)."""
    return not GuardEntry.objects.filter(sequence__isnull=True, said__contains=said).exists()


# --- Of a conversation --------------------------------------------------------------


def _of_tombstone(stone: Tombstone) -> Certificate:
    event = Event.objects.filter(pk=stone.event).first() if stone.event else None
    operators = [operator(name) for name in stone.went.get("operators", [])]
    proof = _proof(stone, event) if event and _is_logged(keys=[str(stone.key)]) else None
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


# --- Of an account ------------------------------------------------------------------


def is_ready(erasure: Erasure) -> bool:
    """Whether every store outside the database has forgotten what went with the account."""
    events = {stone.event for stone in _stones(erasure)}
    return not Outbox.objects.filter(event__in=events).exists()


def issue(erasure: Erasure) -> None:
    """Write the certificate of an account down, in the transaction in which the last row of it goes."""
    now, stones = clock.now(), _stones(erasure)
    operators = sorted({name for stone in stones for name in stone.went["operators"]})
    gone = [{"name": name, "count": one["count"], "gone_at": one["at"]} for name, one in erasure.gone.items()]
    said = {
        "form": FORM,
        "made_by": {"name": settings.CONTROLLER["name"], "address": settings.LINK_ORIGIN},
        "of": {"kind": ACCOUNT, "key": str(erasure.certificate), "cause": "deleted"},
        "asked_at": moment(erasure.asked_at),
        "purged_at": moment(now),
        "stores": [*map(_said, _sums(stones)), *gone],
        "beyond_reach": [{"operator": one.name, "states": one.keeps} for one in map(operator, operators)],
    }
    recorded = ledger.record(
        Act.ERASURE_CERTIFIED, source=Source.SCHEDULE, detail={"certificate": digest(said)}, at=now
    )
    AccountCertificate.objects.create(key=erasure.certificate, event=recorded.pk, said=said, issued_at=now)


def _stones(erasure: Erasure) -> list[Tombstone]:
    """What was purged since the person left."""
    keys = Deletion.objects.filter(user=erasure.user_id, purged_at__gte=erasure.asked_at).values("key")
    return list(Tombstone.objects.filter(key__in=keys))


def _sums(stones: Sequence[Tombstone]) -> list[Store]:
    """What was in each store, of all of them together, and when the last of it went."""
    counts, last = Counter[str](), dict[str, datetime]()
    told = Forgotten.objects.filter(event__in={stone.event for stone in stones}).values_list("store", "at")
    moments = [*told, *((name, stone.purged_at) for stone in stones for name in (stone.kind, *stone.went["rows"]))]
    for stone in stones:
        counts.update({stone.kind: 1, **stone.went["rows"], **stone.went["stores"]})
    for name, at in moments:
        last[name] = max(at, last.get(name, at))
    return [Store(name, count, last[name]) for name, count in counts.items()]


def _of_account(row: AccountCertificate) -> Certificate:
    stores = [Store(one["name"], one["count"], parse_datetime(one["gone_at"])) for one in row.said["stores"]]
    operators = [Operator(one["operator"], one["states"]) for one in row.said["beyond_reach"]]
    logged = _is_logged(certificate=str(row.key))
    proof = sealed_proof(Event.objects.get(pk=row.event)) if logged else None
    return Certificate(row.key, ACCOUNT, stores=stores, operators=operators, proof=proof, said=row.said)


def _of_erasure(erasure: Erasure) -> Certificate:
    """One that waits, or is under way."""
    parts = len(all_holdings())
    return Certificate(
        erasure.certificate,
        ACCOUNT,
        deleted_at=erasure.asked_at,
        purge_by=erasure.due_at if erasure.due_at > clock.now() else None,
        parts=(parts - len(erasure.remaining), parts),
    )


# --- The proof ----------------------------------------------------------------------


def leaf(kind: str, key: UUID, cause: str) -> bytes:
    """What a chunk's root says of one thing that was purged: the leaf's content, before it is hashed."""
    return f"{kind}:{key}:{cause}".encode()


def _proof(stone: Tombstone, event: Event) -> dict[str, Any] | None:
    """That the event's root is over this tombstone, and that the event is in the ledger; None while it is sealed."""
    sealed = sealed_proof(event)
    near = (stone.pk - NEIGHBOURS, stone.pk + NEIGHBOURS)
    stones = list(Tombstone.objects.filter(pk__range=near, event=event.pk).order_by("pk"))
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
