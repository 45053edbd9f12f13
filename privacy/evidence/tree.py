"""The Merkle tree over the ledger: giving events their leaves, signing heads, and proofs from stored nodes.

Whoever records an event never waits for any of this. The builder takes events that have no leaf, in the order of their
ids, and puts them at the end: a transaction that commits late is found by a later run, at a later position. One builder
works at a time (an advisory lock), a chunk per transaction, so that a run that dies leaves whole chunks behind it.

It signs nothing over a tree that differs from the last head.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from accounts import clock
from privacy.evidence import heads, headsfile, keys, merkle
from privacy.models import Event, Leaf, LedgerKey, TreeHead, TreeNode

CHUNK = 5_000
FRESH = timedelta(seconds=60)  # a tree that has not grown is signed anew after this
# Events behind the newest leaf among which an ordinary run looks for late ones; the hourly run looks at all.
LOOK_BACK = 20_000
LOCK = 0x7061726C6579  # "parley": one builder at a time

LEAFLESS = """
SELECT id, hash FROM privacy_event
WHERE id > %s AND NOT EXISTS (SELECT FROM privacy_leaf WHERE event_id = privacy_event.id)
ORDER BY id LIMIT %s
"""
STORED = """
SELECT wanted.level, wanted.index, coalesce(leaf.hash, node.hash)
FROM unnest(%s::int[], %s::bigint[]) AS wanted (level, index)
LEFT JOIN privacy_leaf AS leaf ON wanted.level = 0 AND leaf.position = wanted.index
LEFT JOIN privacy_treenode AS node ON node.level = wanted.level AND node.index = wanted.index
"""


class BrokenTree(Exception):
    """The stored tree is not the one that the last head was signed over."""


@dataclass(frozen=True)
class Proof:
    """That an event stands in the tree: the roots beside its way up to a signed head (as published)."""

    position: int
    size: int
    path: list[str]
    head: dict[str, Any]


# --- Building -------------------------------------------------------------------


def build(*, everything: bool = False) -> TreeHead | None:
    """Give leaves to events without one and sign what is new, or what was signed a minute ago; returns the last head
    signed. `everything` looks at all events for late ones, not only at the last of them."""
    signed = None
    while (step := _step(everything)) is not None:
        head, added = step
        signed = head or signed
        if added < CHUNK:
            break
    return signed


@transaction.atomic
def _step(everything: bool) -> tuple[TreeHead | None, int] | None:
    """One chunk; returns the head signed and how many leaves were added, or None while another builder works."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
    last = TreeHead.objects.first()
    newest = Leaf.objects.aggregate(position=Max("position"), event=Max("event_id"))
    frontier = _frontier(0 if newest["position"] is None else newest["position"] + 1)
    _require_signed(frontier, last)
    added = _add(frontier, _leafless(0 if everything else (newest["event"] or 0) - LOOK_BACK))
    now = clock.now()
    if not frontier.size or (not added and last and now - last.at < FRESH):
        return None, added
    return _sign(frontier, max(now, last.at) if last else now), added


def _frontier(size: int) -> merkle.Frontier:
    nodes = merkle.subtrees(0, size)
    stored = _stored(nodes)
    return merkle.Frontier(size, [stored[node] for node in nodes])


def _require_signed(frontier: merkle.Frontier, last: TreeHead | None) -> None:
    """Raise BrokenTree unless the tree begins with what was signed. Leaves and heads are written together."""
    if last and (frontier.size, frontier.root().hex()) != (last.size, last.root):
        raise BrokenTree(f"head {last.pk} was signed over another tree: run manage.py verify_ledger")
    if frontier.size and not last:
        raise BrokenTree("there are leaves and no head: run manage.py verify_ledger")


def _leafless(after: int) -> list[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(LEAFLESS, [after, CHUNK])
        return list(cursor.fetchall())


def _add(frontier: merkle.Frontier, events: Sequence[tuple[int, str]]) -> int:
    """Append a leaf for each, with the subtrees that are complete thereby."""
    leaves, nodes = [], []
    for event_id, hashed in events:
        leaf = merkle.leaf_hash(bytes.fromhex(hashed))
        leaves.append(Leaf(position=frontier.size, event_id=event_id, hash=leaf.hex()))
        for (level, index), node in frontier.append(leaf):
            nodes.append(TreeNode(level=level, index=index, hash=node.hex()))
    Leaf.objects.bulk_create(leaves)
    TreeNode.objects.bulk_create(nodes)
    return len(leaves)


def _sign(frontier: merkle.Frontier, at: datetime) -> TreeHead:
    private = keys.signing_key()
    public = heads.public_of(private)
    if not LedgerKey.objects.exists():
        LedgerKey.objects.create(key_id=heads.key_id(public), public=public, from_at=at)
    head = TreeHead(origin=settings.LEDGER_ORIGIN, size=frontier.size, root=frontier.root().hex(), at=at)
    signed = heads.sign(head.published(), private)
    head.key_id, head.signature = signed["key"], signed["signature"]
    head.save(force_insert=True)
    transaction.on_commit(headsfile.catch_up, robust=True)
    return head


# --- Proving --------------------------------------------------------------------


def proof_of(event: Event, head: TreeHead | None = None) -> Proof | None:
    """The proof that `event` is under `head` (else the latest), or None while it has no leaf there."""
    leaf, head = Leaf.objects.filter(event=event).first(), head or TreeHead.objects.first()
    if leaf is None or head is None or leaf.position >= head.size:
        return None
    path = _roots(merkle.inclusion_stretches(leaf.position, head.size))
    return Proof(leaf.position, head.size, path, head.published())


def consistency_proof(earlier: int, size: int) -> list[str]:
    """That the tree of `earlier` leaves is a beginning of that of `size`. Raises ValueError if it cannot be one."""
    return _roots(merkle.consistency_stretches(earlier, size))


def root_of(size: int) -> str:
    """The root over the first `size` leaves, from stored nodes."""
    return _roots([(0, size)])[0]


def _roots(stretches: Sequence[merkle.Stretch]) -> list[str]:
    """The root of each stretch, in one query."""
    parts = [merkle.subtrees(*stretch) for stretch in stretches]
    stored = _stored([node for nodes in parts for node in nodes])
    return [merkle.joined(stored[node] for node in nodes).hex() for nodes in parts]


def _stored(nodes: Sequence[merkle.Node]) -> dict[merkle.Node, bytes]:
    """The hashes of complete subtrees. Raises BrokenTree if one is missing."""
    with connection.cursor() as cursor:
        cursor.execute(STORED, [[level for level, _ in nodes], [index for _, index in nodes]])
        stored = {(level, index): hashed for level, index, hashed in cursor.fetchall()}
    for (level, index), hashed in stored.items():
        if hashed is None:
            raise BrokenTree(f"node {level}/{index} is missing: run manage.py verify_ledger")
    return {node: bytes.fromhex(hashed) for node, hashed in stored.items()}
