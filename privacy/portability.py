"""A person's data as one file, written while it is read: nothing is in memory or on the disk as a whole.

Each step reads a page of rows by their keys and gives its database connection back, so a slow client holds none and no
transaction outlives a page. The file is therefore not of one moment: what changes meanwhile may be in it or not.
What its parts are is the holdings' to say (privacy/holdings.py); docs/export.md describes them.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from channels.db import database_sync_to_async
from django.conf import settings
from django.core.cache import cache
from django.db import models

from accounts import clock
from privacy.holdings import Part, all_holdings

if TYPE_CHECKING:
    from accounts.models import User

Row = TypeVar("Row", bound=models.Model)

FORMAT, VERSION = "parley-export", 1
PIECE = 256 * 1024  # bytes that are gathered before they are sent: a step costs a thread and perhaps a connection
PAGE = 200
TURN_SECONDS = 60  # after its last piece; a process that dies releases nobody


def parts() -> list[Part]:
    """The parts of the file, those of the lowest room first: rooms register from the top down."""
    return [part for holding in reversed(all_holdings()) for part in holding.parts]


def document(user: "User", each: Callable[[], None] = lambda: None) -> Iterator[bytes]:
    """The whole file in pieces of about `PIECE`; `each` is called for every row of a part."""
    return _gathered(_between(b"{", (_named(name, value) for name, value in _sections(user, each)), b"}"))


def _sections(user: "User", each: Callable[[], None]) -> Iterator[tuple[str, Any]]:
    yield from {
        "format": FORMAT,
        "version": VERSION,
        "made_at": clock.now(),
        "made_by": {"name": settings.CONTROLLER["name"], "address": settings.LINK_ORIGIN},
    }.items()
    yield from ((part.name, _counted(part.read(user), each)) for part in parts())


def _counted(value: Any, each: Callable[[], None]) -> Any:
    return map(partial(_count, each), value) if isinstance(value, Iterator) else value


def _count(each: Callable[[], None], row: Any) -> Any:
    each()
    return row


def paged(rows: "models.QuerySet[Row]", size: int = PAGE) -> Iterator[Row]:
    """Rows in the order of their keys, a page at a time."""
    for page in pages(rows, size):
        yield from page


def pages(rows: "models.QuerySet[Row]", size: int = PAGE) -> Iterator[list[Row]]:
    """The same, page by page."""
    last = 0
    while page := list(rows.filter(pk__gt=last).order_by("pk")[:size]):
        yield page
        if len(page) < size:
            return
        last = page[-1].pk


def _written(value: Any) -> Iterator[bytes]:
    """JSON with a line for each row; iterators become lists."""
    if isinstance(value, Iterator):
        yield from _between(b"[", (_written(item) for item in value), b"]")
    elif isinstance(value, dict) and any(isinstance(item, Iterator) for item in value.values()):
        yield from _between(b"{", (_named(name, item) for name, item in value.items()), b"}")
    else:
        yield orjson.dumps(value, option=orjson.OPT_UTC_Z)


def _named(name: str, value: Any) -> Iterator[bytes]:
    yield orjson.dumps(name) + b": "
    yield from _written(value)


def _between(opening: bytes, items: Iterator[Iterator[bytes]], closing: bytes) -> Iterator[bytes]:
    before = opening
    for item in items:
        yield before + b"\n"
        yield from item
        before = b","
    yield closing if before == b"," else opening + closing


def _gathered(said: Iterator[bytes]) -> Iterator[bytes]:
    gathered = bytearray()
    for some in said:
        gathered += some
        if len(gathered) >= PIECE:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered) + b"\n"


# --- Handing it over ----------------------------------------------------------


def take_turn(user: "User") -> bool:
    """Whether the file may be made now: one at a time for each person."""
    return bool(cache.add(_turn(user), 1, TURN_SECONDS))


def give_back_turn(user: "User") -> None:
    """Whoever has taken a turn and makes no file after all."""
    cache.delete(_turn(user))


async def streamed(user: "User") -> AsyncIterator[bytes]:
    """The file for somebody who has taken their turn, which ends with it.

    Django would read a plain iterator to its end before it sends anything. Each step takes a thread and a connection
    for as long as it reads, and no longer.
    """
    pieces, step = document(user), database_sync_to_async(_next)
    try:
        while piece := await step(pieces, user):
            yield piece
    finally:
        await cache.adelete(_turn(user))


def _next(pieces: Iterator[bytes], user: "User") -> bytes:
    cache.touch(_turn(user), TURN_SECONDS)
    return next(pieces, b"")


def _turn(user: "User") -> str:
    return f"export:{user.pk}"
