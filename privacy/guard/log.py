"""The log itself: one line of JSON for each entry, appended and written through, never changed.

    {"sequence": 7, "key": "…", "kind": "deleted", "said": {…}, "at": "…", "chain": "…"}

`chain` is SHA-256 over the chain of the line before and this line without it: a line that was changed or taken out is
noticed. What an entry says stands in the database only until it is here; its key stays. A line that a power failure
tore is closed and passed over; what it would have said is still in the database and is appended again. Readers go by
`key`: the same entry twice is one.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from privacy.canonical import canonical, moment
from privacy.models import GuardEntry

AT_ONCE = 1_000
LOCK = 0x67756172  # "guar": one appends at a time
TAIL = 8 * 1024
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


def path() -> Path:
    return Path(settings.GUARD_LOG)


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
    path().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path().open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        last, torn = _tail(file)
        first, chain = max(last.sequence if last else 0, after) + 1, last.chain if last else ""
        written = b"\n" if torn else b""
        for number, entry in enumerate(entries, first):
            said = {"sequence": number, "key": str(entry.key), "kind": entry.kind, "said": entry.said}
            said["at"] = moment(entry.at)
            chain = _chained(chain, said)
            written += canonical({**said, "chain": chain}) + b"\n"
        file.write(written)
        file.flush()
        os.fsync(file.fileno())
    return first


def last() -> Line | None:
    """The last whole line, if there is a log."""
    if not path().exists():
        return None
    with path().open("rb") as file:
        return _tail(file)[0]


def _tail(file: BinaryIO) -> tuple[Line | None, bool]:
    """The last whole line, and whether something torn follows it."""
    size, back = file.seek(0, os.SEEK_END), TAIL
    while True:  # a purge of very many is a long line
        file.seek(max(0, size - back))
        *whole, rest = file.read().split(b"\n")
        found = next((line for line in map(_parsed, reversed(whole)) if line), None)
        if found or back >= size:
            return found, bool(rest)
        back *= 8


def lines() -> Iterator[Line]:
    """The whole log from its beginning. Raises Broken where a line does not follow from the one before."""
    chain, number = "", 0
    if not path().exists():
        return
    with path().open("rb") as file:
        for number, raw in enumerate(file, 1):
            line = _parsed(raw)
            if line is None:  # torn: the next one goes on from the line before it
                continue
            said = json.loads(raw)
            said.pop("chain")
            if line.chain != _chained(chain, said):
                raise Broken(f"line {number} of {path()} does not follow from the lines before it")
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
