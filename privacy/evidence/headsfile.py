"""Signed heads in a file beside the database (`heads.jsonl`), one a line, for an operator to carry elsewhere.

Whoever can rewrite the whole database cannot take back a line that was copied to another place.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.utils.dateparse import parse_datetime

from privacy.evidence import heads
from privacy.models import TreeHead

logger = logging.getLogger(__name__)

TAIL = 4_096  # bytes; a line is a tenth of it


def path() -> Path:
    return Path(settings.LEDGER_HEADS_FILE)


def catch_up() -> None:
    """Append the heads signed since the last line, and see them onto the disk. Several processes may do so at once."""
    path().parent.mkdir(parents=True, exist_ok=True)
    with path().open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # let go of when the file is closed
        for head in _missing(_last(file)):
            file.write(_line(head))
        file.flush()
        os.fsync(file.fileno())


def lines(kept: Path, end: int | None = None) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """The heads of a file with their line numbers, as far as byte `end`; None for a line that is no head.

    A line that was torn by a crash and then written again in full is passed over.
    """
    with kept.open("rb") as file:
        torn, position = b"", 0
        for number, raw in enumerate(file, 1):
            position += len(raw)
            if end is not None and position > end:
                return
            line = raw.strip()
            if torn and not line.startswith(torn):
                yield number - 1, None
            torn = b""
            head = _head(line)
            if head is None and line:
                torn = line
            elif head is not None:
                yield number, head
        if torn:
            yield number, None


def moment_of(head: dict[str, Any]) -> datetime | None:
    """When a head says it was signed; None for no moment."""
    try:
        return parse_datetime(str(head["at"]))
    except ValueError:
        return None


def _head(line: bytes) -> dict[str, Any] | None:
    try:
        head = json.loads(line)
    except ValueError:
        return None
    return head if isinstance(head, dict) and set(heads.FIELDS) <= set(head) else None


def _line(head: TreeHead) -> bytes:
    return json.dumps(head.published(), ensure_ascii=False).encode() + b"\n"


def _last(file: BinaryIO) -> dict[str, Any] | None:
    """The head on the last whole line. A torn line is ended, so that the next one begins anew."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - TAIL))
    tail = file.read()
    if tail and not tail.endswith(b"\n"):
        file.write(b"\n")
    whole = [head for line in tail.splitlines() if (head := _head(line)) is not None]
    return whole[-1] if whole else None


def _missing(last: dict[str, Any] | None) -> Iterable[TreeHead]:
    """The heads after `last`; all of them for a new file; the newest where the table does not know it."""
    if last is None:
        return TreeHead.objects.order_by("pk").iterator()
    at = moment_of(last)
    known = TreeHead.objects.filter(at=at, signature=last["signature"]).first() if at else None
    if known is None:
        logger.error("the last head in %s is not in the database: run manage.py verify_ledger", path().name)
        return TreeHead.objects.all()[:1]
    return TreeHead.objects.filter(pk__gt=known.pk).order_by("pk").iterator()
