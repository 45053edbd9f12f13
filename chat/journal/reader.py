"""Following journals: one multiplexed blocking read per web process, for all its sockets.

A subscriber names the last step it has; it gets what follows, then what comes. A wake stream of the process's own
interrupts the read when the set of journals changes; the control stream brings commands for everybody.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from redis.exceptions import RedisError

from chat.journal import connection, control, keys
from chat.journal.keys import START, Step
from chat.journal.replies import Entry, by_stream

logger = logging.getLogger(__name__)

ENTRIES = 200  # of one journal in one reply


@dataclass(frozen=True)
class Piece:
    """One entry of a journal. A `whole` one replaces all text before it."""

    answer: str
    step: Step
    text: str
    whole: bool


Event = Piece | control.Command | None  # None: the connection was lost and is back; terminal states may be news
Hear = Callable[[Event], None]  # never waits: a slow socket holds nobody back


@dataclass(eq=False)
class Subscriber:
    """One socket: what it follows, each with the last step it got."""

    hear: Hear
    following: dict[str, Step] = field(default_factory=dict)


class Reader:
    """The reader of one event loop."""

    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._wake = f"parley:wake:{uuid.uuid4()}"
        self._last: dict[str, bytes] = {self._wake: b"0"}
        self._task: asyncio.Task[None] | None = None
        self._listens = asyncio.Event()

    def join(self, hear: Hear) -> Subscriber:
        """Add a socket; it hears every command from now on."""
        subscriber = Subscriber(hear)
        self._subscribers.add(subscriber)
        if self._task is None or self._task.done():
            self._listens.clear()
            self._task = asyncio.create_task(self._read_forever())
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)

    async def listening(self) -> None:
        """Wait until every command from here on is heard. (While Valkey is away none is; its return is heard then.)"""
        await self._listens.wait()

    async def follow(self, subscriber: Subscriber, answer: str, after: Step | None) -> None:
        """Give `subscriber` what the journal has after the step it names, and then what comes."""
        subscriber.following[answer] = after or START
        await self._interrupt()

    def unfollow(self, subscriber: Subscriber, answer: str) -> None:
        subscriber.following.pop(answer, None)

    async def _interrupt(self) -> None:
        try:
            pipeline = connection.for_loop().pipeline(transaction=False)
            pipeline.xadd(self._wake, {"w": "1"}, maxlen=1, approximate=False)
            pipeline.expire(self._wake, keys.SECONDS_KEPT)
            await pipeline.execute()
        except (RedisError, OSError):
            logger.debug("no wake-up while Valkey is away; the read begins anew when it is back")

    async def _read_forever(self) -> None:
        away = False
        # Those who heard what came before are gone. (A read that goes on after a pause goes on from where it was.)
        self._last.pop(control.KEY, None)
        while self._subscribers:
            try:
                if control.KEY not in self._last:
                    self._last[control.KEY] = await control.latest()
                self._listens.set()
                since = self._earliest_steps()
                found = await self._read(since)
            except (RedisError, OSError) as error:
                self._listens.set()
                if not away:
                    logger.warning("journals unreachable: %s", type(error).__name__)
                away = True
                await asyncio.sleep(0.25)
                continue
            if away:
                away = False
                self._tell_all(None)
            for name, entries in found:
                self._take(name.decode(), entries, since)

    def _earliest_steps(self) -> dict[str, Step]:
        """For each followed journal the earliest step that anybody has."""
        earliest: dict[str, Step] = {}
        for subscriber in self._subscribers:
            for answer, step in subscriber.following.items():
                earliest[answer] = min(earliest.get(answer, step), step)
        return earliest

    async def _read(self, since: dict[str, Step]) -> list[tuple[bytes, list[Entry]]]:
        streams: dict[str, str | bytes] = dict(self._last)
        for answer, step in since.items():
            streams[keys.key(answer)] = keys.as_id(step)
        reply = await connection.blocking().xread(streams, count=ENTRIES, block=connection.block())  # type: ignore[arg-type]
        return by_stream(reply)

    def _take(self, name: str, entries: list[Entry], since: dict[str, Step]) -> None:
        if name in self._last:
            self._last[name] = entries[-1][0]
            if name == control.KEY:
                for _, fields in entries:
                    self._tell_all(control.parse(fields))
            return
        answer = name.removeprefix(keys.key(""))
        for entry, fields in entries:
            step = keys.parse_step(entry)
            if step is not None and keys.TEXT in fields:
                self._tell(Piece(answer, step, fields[keys.TEXT].decode(), keys.WHOLE in fields), since[answer])

    def _tell(self, piece: Piece, since: Step) -> None:
        """Tell those who have all up to `since`, where this read began; who came meanwhile waits for the next read."""
        for subscriber in list(self._subscribers):
            has = subscriber.following.get(piece.answer)
            if has is not None and since <= has < piece.step:
                subscriber.following[piece.answer] = piece.step
                subscriber.hear(piece)

    def _tell_all(self, event: Event) -> None:
        for subscriber in list(self._subscribers):
            subscriber.hear(event)


_readers: "WeakKeyDictionary[asyncio.AbstractEventLoop, Reader]" = WeakKeyDictionary()


def reader() -> Reader:
    """The reader of the running event loop."""
    return _readers.setdefault(asyncio.get_running_loop(), Reader())
