"""Checking the whole ledger against itself and its keys: what `manage.py verify_ledger` runs.

Each check streams its rows in one order and holds no more than a few of them, whatever the ledger's size, and stops at
its first bad row. All look at one snapshot, so that events recorded meanwhile disturb nothing.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from privacy.canonical import moment
from privacy.evidence import entry, heads, keys, merkle
from privacy.models import LedgerKey, TreeHead

FETCHED = 2_000  # rows at a time

EVENTS = """
SELECT id, key, subject, actor, act, terms, source, at, detail, context, previous, hash, mac, mac_key
FROM privacy_event ORDER BY subject, id
"""
LEAVES = """
SELECT leaf.position, leaf.hash, leaf.event_id, event.hash
FROM privacy_leaf AS leaf LEFT JOIN privacy_event AS event ON event.id = leaf.event_id ORDER BY leaf.position
"""
# In the order in which a growing tree completes them.
NODES = "SELECT level, index, hash FROM privacy_treenode ORDER BY (index + 1) << level, level"
ROOTS = "SELECT size, root, id FROM privacy_treehead ORDER BY size, id"

Tick = Callable[[], None]


class BadRow(Exception):
    """The first row that is not as it must be; the message names it."""


# --- Keys -----------------------------------------------------------------------


def check_keys(tick: Tick) -> None:
    """Each key but the first is vouched for by the one before it."""
    for _ in (listed := keys.listed()):
        tick()
    try:
        heads.verify_keys(listed)
    except heads.BadSignature as error:
        raise BadRow(str(error)) from error


# --- Events ---------------------------------------------------------------------


def check_events(tick: Tick) -> None:
    """Each event says what its hash is of, its MAC is right, and it follows its subject's event before."""
    mac_keys = keys.mac_keys()
    before: tuple[Any, Any, str] = (None, None, "")  # subject, event, hash
    for row in rows(EVENTS):
        tick()
        (pk, key, subject, actor, act, terms, source, at, detail, context, previous, hashed, mac, mac_id) = row
        said = entry.said(
            key=key,
            subject=subject,
            actor=actor,
            act=act,
            terms=terms,
            source=source,
            at=at,
            detail=json.loads(detail),
            context=json.loads(context),
            previous=previous,
        )
        if _hash_of(said) != hashed:
            raise BadRow(f"event {pk}: it says something else than its hash is of")
        if mac_id not in mac_keys:
            raise BadRow(f"event {pk}: it is authenticated with the key {mac_id}, which is not at hand")
        if entry.mac_of(hashed, mac_keys[mac_id]) != mac:
            raise BadRow(f"event {pk}: its MAC is wrong")
        if previous != (before[2] if subject is not None and subject == before[0] else ""):
            raise BadRow(_broken_chain(pk, subject, before))
        before = (subject, pk, hashed)


def _hash_of(said: dict[str, Any]) -> str | None:
    """None for what could never have been recorded, such as fractions."""
    try:
        return entry.hash_of(said)
    except (TypeError, ValueError):
        return None


def _broken_chain(pk: int, subject: Any, before: tuple[Any, Any, str]) -> str:
    if subject is None or subject != before[0]:
        return f"event {pk}: the event that it follows is missing"
    return (
        f"event {pk}: it does not follow event {before[1]}; what stood between them is missing, or they changed places"
    )


# --- The tree -------------------------------------------------------------------


def check_tree(tick: Tick) -> None:
    """Positions have no gap, leaves are of their events, stored nodes of their leaves, heads' roots of their trees."""
    frontier, nodes, roots = merkle.Frontier(), rows(NODES), rows(ROOTS)
    head, covered = next(roots, None), 0
    for position, hashed, event, event_hash in rows(LEAVES):
        tick()
        if position != frontier.size:
            raise BadRow(f"leaf {frontier.size}: it is missing")
        if event_hash is None:
            raise BadRow(f"leaf {position}: its event {event} is missing")
        if _leaf_of(event_hash) != hashed:
            raise BadRow(f"leaf {position}: it is not of its event {event}")
        for expected in frontier.append(bytes.fromhex(hashed)):
            _require_node(next(nodes, None), expected)
        while head and head[0] <= frontier.size:
            if (head[0], head[1]) != (frontier.size, frontier.root().hex()):
                raise BadRow(f"head {head[2]}: its root is not that of the first {head[0]} leaves")
            covered, head = frontier.size, next(roots, None)
    if head:
        raise BadRow(f"head {head[2]}: it was signed over {head[0]} leaves, and there are {frontier.size}")
    if stray := next(nodes, None):
        raise BadRow(f"node {stray[0]}/{stray[1]}: there are no such leaves")
    if covered != frontier.size:
        raise BadRow(f"leaf {covered}: the head that was signed with it is missing")


def _leaf_of(event_hash: str) -> str | None:
    try:
        return merkle.leaf_hash(bytes.fromhex(event_hash)).hex()
    except ValueError:
        return None


def _require_node(stored: tuple[int, int, str] | None, expected: tuple[merkle.Node, bytes]) -> None:
    (level, index), hashed = expected
    if stored is None or (stored[0], stored[1]) != (level, index):
        raise BadRow(f"node {level}/{index}: it is missing, or others are that do not belong there")
    if stored[2] != hashed.hex():
        raise BadRow(f"node {level}/{index}: it is not of its leaves")


def check_heads(tick: Tick) -> None:
    """Each head is signed by the key of its time, and trees and moments only grow."""
    known = list(LedgerKey.objects.order_by("pk"))
    public = {key.key_id: key.public for key in known}
    size, at = 0, ""
    for head in TreeHead.objects.order_by("pk").iterator(FETCHED):
        tick()
        try:
            heads.verify_head(said := head.published(), public)
        except heads.BadSignature as error:
            raise BadRow(f"head {head.pk}: {error}") from error
        if head.size < size or said["at"] < at:
            raise BadRow(f"head {head.pk}: it is smaller or older than the one before it")
        if _retired(head.key_id, known, head.at):
            raise BadRow(f"head {head.pk}: the key {head.key_id} had been replaced when it was signed")
        size, at = head.size, said["at"]


def _retired(key_id: str, known: Sequence[LedgerKey], at: datetime) -> bool:
    successor = next((key for key in known if key.vouched_by == key_id), None)
    return successor is not None and moment(successor.from_at) < moment(at)


# --- Rows -----------------------------------------------------------------------


def rows(query: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, through a cursor on the server. Needs a transaction."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(query)
        while fetched := cursor.fetchmany(FETCHED):
            yield from fetched
