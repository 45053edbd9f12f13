"""Handing a finished file over: read from the disk as it is taken, whole or from where a download broke off."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from asgiref.sync import sync_to_async

PIECE = 512 * 1024
RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


class OutOfRange(Exception):
    """Nothing of the file is there."""


@dataclass(frozen=True)
class Span:
    """The bytes from `first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def span_of(asked: str, size: int) -> Span | None:
    """What a Range header asks for (RFC 9110, 14.1); None for the whole, also for what is not understood, such as
    several ranges at once. Raises OutOfRange.
    """
    found = RANGE.fullmatch(asked.strip())
    if not found or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        start, end = max(size - int(last), 0), size - 1
    else:
        start, end = int(first), min(int(last or size), size - 1)
        if last and int(last) < start:
            return None
    if start > end:
        raise OutOfRange
    return Span(start, end)


async def read(path: Path, span: Span) -> AsyncIterator[bytes]:
    """Each piece takes a thread for as long as it is read, and no connection to the database."""
    step = sync_to_async(_piece, thread_sensitive=False)
    file = await sync_to_async(_opened, thread_sensitive=False)(path)
    try:
        at = span.first
        while at <= span.last and (piece := await step(file, at, min(PIECE, span.last - at + 1))):
            yield piece
            at += len(piece)
    finally:
        file.close()


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _piece(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)
