"""The log itself: one line of JSON for each entry, appended and written through, never changed.

    {"sequence": 7, "key": "…", "kind": "deleted", "said": {…}, "at": "…", "chain": "…"}

`chain` is SHA-256 over the chain of the line before and this line without it: a line that was changed or taken out is
noticed. What an entry says stands in the database only until it is here; its key stays. A line that a power failure
tore is closed and passed over; what it would have said is still in the database and is appended again. Readers go by
`key`: the same entry twice is one.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from privacy.canonical import canonical, moment
from privacy.guard.places import File, Objects, Place
from privacy.models import GuardEntry

AT_ONCE = 1_000
LOCK = 0x67756172  # "guar": one appends at a time
PLACED = """
UPDATE privacy_guardentry SET sequence = placed.sequence, said = '{}'
FROM unnest(%s::bigint[], %s::bigint[]) AS placed (id, sequence) WHERE privacy_guardentry.id = placed.id
"""


class Broken(Exception):
    """The log is not what was written; the message says from which line on."""


@dataclass(frozen=True)
class Line:
    sequence: int
    key: UUID
    kind: str
    said: dict[str, Any]
    at: datetime
    chain: str


def place() -> Place:
    """Where the log lies, by `GUARD_LOG`: the path of a file, or the address of an object storage."""
    return _objects(settings.GUARD_LOG) if "://" in settings.GUARD_LOG else File(Path(settings.GUARD_LOG))


@cache
def _objects(url: str) -> Objects:
    return Objects(url)


def append_new() -> int:
    """Append what is not in the log yet; returns how many. May run twice at once: the second leaves it to the first."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
        entries = list(GuardEntry.objects.filter(sequence__isnull=True).order_by("pk")[:AT_ONCE])
        if entries:
            cursor.execute("SELECT coalesce(max(sequence), 0) FROM privacy_guardentry")
            first = _append(entries, after=cursor.fetchone()[0])
            cursor.execute(PLACED, [[one.pk for one in entries], list(range(first, first + len(entries)))])
    return len(entries)


def _append(entries: list[GuardEntry], after: int) -> int:
    """Write them through; returns the sequence of the first."""
    log = place()
    with log.exclusively():
        before = last()
        first, chain = max(before.sequence if before else 0, after) + 1, before.chain if before else ""
        written = b""
        for number, entry in enumerate(entries, first):
            said = {"sequence": number, "key": str(entry.key), "kind": entry.kind, "said": entry.said}
            said["at"] = moment(entry.at)
            chain = _chained(chain, said)
            written += canonical({**said, "chain": chain}) + b"\n"
        log.append(written, first)
    return first


def last() -> Line | None:
    """The last whole line, if there is one."""
    return next((line for line in map(_parsed, place().newest_first()) if line), None)


def lines() -> Iterator[Line]:
    """The whole log from its beginning. Raises Broken where a line does not follow from the one before."""
    chain = ""
    for number, raw in enumerate(place().oldest_first(), 1):
        line = _parsed(raw)
        if line is None:  # torn: the next one goes on from the line before it
            continue
        said = json.loads(raw)
        said.pop("chain")
        if line.chain != _chained(chain, said):
            raise Broken(f"line {number} of {place()} does not follow from the lines before it")
        chain = line.chain
        yield line


def _parsed(raw: bytes) -> Line | None:
    try:
        said = json.loads(raw)
        at = datetime.fromisoformat(said["at"])
        return Line(said["sequence"], UUID(said["key"]), said["kind"], said["said"], at, said["chain"])
    except (ValueError, KeyError, TypeError):
        return None


def _chained(chain: str, said: dict[str, Any]) -> str:
    return hashlib.sha256(chain.encode() + canonical(said)).hexdigest()
