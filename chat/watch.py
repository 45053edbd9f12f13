"""Word of the gate to open sockets, at the moment it changes: somebody has chosen, terms were published or a deadline
moved, or a moment has come that was known beforehand (a deadline, a scheduled publication).

One task in each loop with sockets. It wakes when word comes, and once a second while a moment is still to come. What
it tells is read in one query for everybody concerned, and one reading ends before the next begins: no older answer
overtakes a newer one.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from accounts import clock
from chat import desk, frames
from chat.frames import Frame
from chat.journal.reader import Event, Piece, Subscriber, reader
from chat.threads import in_database
from privacy.gate import Calendar, calendar

EVERY = 1.0  # seconds; the clock may be moved, so nobody sleeps until the moment itself
LOOK_AGAIN = 30.0  # seconds: what was published while word of it was lost is found by then
logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Watched:
    """A socket: whose it is, how it is told (without waiting), and what it was told last."""

    user: int
    tell: Callable[[Frame], None]
    told: Frame | None = None
    missed: bool = False  # something changed while its greeting was on its way


class Watch:
    """The sockets of one loop."""

    def __init__(self) -> None:
        self._sockets: set[Watched] = set()
        self._subscriber: Subscriber | None = None
        self._task: asyncio.Task[None] | None = None
        self._word = asyncio.Event()
        self._chose: set[int] = set()  # who is told anew, whatever they were told before
        self._unsure: set[int] = set()  # who is told what is new to them
        self._moments: Calendar | None = None
        self._moments_read = float("-inf")
        self._looked_at = clock.now()

    def join(self, user: int, tell: Callable[[Frame], None]) -> Watched:
        """Add a socket, before its greeting is asked for."""
        watched = Watched(user, tell)
        self._sockets.add(watched)
        if self._task is None:
            self._subscriber = reader().join(self._hear)
            # Nothing was heard while nobody was here.
            self._moments, self._moments_read, self._looked_at = None, float("-inf"), clock.now()
            self._task = asyncio.create_task(self._watch())
        return watched

    def greeted(self, watched: Watched, gate: Frame) -> None:
        """Its greeting said `gate`."""
        watched.told = gate
        if watched.missed:
            self._unsure.add(watched.user)
            self._word.set()

    def leave(self, watched: Watched) -> None:
        self._sockets.discard(watched)
        if not self._sockets and self._task is not None and self._subscriber is not None:
            reader().leave(self._subscriber)
            self._task.cancel()
            self._task = None

    def _hear(self, event: Event) -> None:
        if event is None or (not isinstance(event, Piece) and event.kind == "terms"):
            self._moments_read = float("-inf")
            self._unsure |= self._here()
        elif not isinstance(event, Piece) and event.kind == "standing":
            self._chose.add(int(event.fields["user"]))
        else:
            return
        self._word.set()

    def _here(self) -> set[int]:
        return {watched.user for watched in self._sockets}

    async def _watch(self) -> None:
        await reader().listening()
        while True:
            self._word.clear()
            try:
                await self._look()
            except Exception as failure:
                logger.warning("the gate could not be asked for open sockets: %s", type(failure).__name__)
                await asyncio.sleep(EVERY)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self._word.wait()

    async def _look(self) -> None:
        """Tell whom word or the clock concerns; what fails is looked at again."""
        if time.monotonic() - self._moments_read > LOOK_AGAIN:
            moments = await in_database(calendar)
            self._moments_read = time.monotonic()
            if moments != self._moments:
                self._moments = moments
                self._unsure |= self._here()
        now = clock.now()
        if any(self._passed(moment, now) for moment in self._each_moment()):
            self._unsure |= self._here()
        self._looked_at = now
        chose, unsure = self._chose & self._here(), self._unsure & self._here()
        self._chose, self._unsure = set(), set()
        try:
            await self._tell(chose, unsure)
        except Exception:
            self._chose |= chose
            self._unsure |= unsure
            raise

    async def _tell(self, chose: set[int], unsure: set[int]) -> None:
        concerned = [watched for watched in self._sockets if watched.user in chose | unsure]
        if not concerned:
            return
        gates = await in_database(desk.gates, chose | unsure)
        for watched in concerned:
            gate = gates[watched.user]
            if watched.told is None:
                watched.missed = True
            elif watched.user in chose or watched.told != gate:
                watched.told = gate
                watched.tell(frames.gate_frame(gate))

    def _each_moment(self) -> list[datetime]:
        return [moment for _, published, due in self._moments or () for moment in (published, due)]

    def _passed(self, moment: datetime, now: datetime) -> bool:
        """Whether it has come since the last look, or has been taken back by a clock that was moved."""
        return min(self._looked_at, now) < moment <= max(self._looked_at, now)

    def _pause(self) -> float:
        """How long nothing happens unless word comes."""
        now = clock.now()
        coming = [(moment - now).total_seconds() for moment in self._each_moment() if moment > now]
        return min([EVERY, *coming]) if coming else LOOK_AGAIN


_watches: "WeakKeyDictionary[asyncio.AbstractEventLoop, Watch]" = WeakKeyDictionary()


def watch() -> Watch:
    """The watch of the running loop."""
    return _watches.setdefault(asyncio.get_running_loop(), Watch())
