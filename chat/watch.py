"""Telling open sockets of a deadline at the moment it passes, and of terms at the moment they are published.

One task for each loop with sockets, which looks at the clock every second: what is due is known beforehand, so that
nothing is asked of the database until something is.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from weakref import WeakKeyDictionary

from accounts import clock
from chat.generation import chores
from chat.threads import in_database
from privacy.gate import next_publication

EVERY = 1.0  # seconds
LOOK_AGAIN = 60.0  # seconds: a version scheduled while word of it was lost is found by then


@dataclass(eq=False)
class Watched:
    """A socket: when its person's time runs out, and how it is told to look at the gate again."""

    look: Callable[[], None]
    deadline: datetime | None = None


@dataclass
class Watch:
    """The sockets of one loop."""

    sockets: set[Watched] = field(default_factory=set)
    task: "asyncio.Task[None] | None" = None
    coming: datetime | None = None  # the next publication
    looked_at: float = 0.0

    def join(self, look: Callable[[], None]) -> Watched:
        watched = Watched(look)
        self.sockets.add(watched)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._watch())
        return watched

    def leave(self, watched: Watched) -> None:
        self.sockets.discard(watched)

    def forget(self) -> None:
        """Terms have changed: what comes next is to be asked anew."""
        self.looked_at = 0.0

    async def _watch(self) -> None:
        while self.sockets:
            try:
                await self._tell(clock.now())
            except Exception as failure:
                chores.note("the watch over deadlines", failure)
            await asyncio.sleep(EVERY)

    async def _tell(self, now: datetime) -> None:
        for watched in [one for one in self.sockets if one.deadline and one.deadline <= now]:
            watched.deadline = None
            watched.look()
        if self.coming and self.coming <= now:
            self.looked_at = 0.0
            for watched in list(self.sockets):
                watched.look()
        if not self.looked_at or time.monotonic() - self.looked_at > LOOK_AGAIN:
            self.looked_at = time.monotonic()
            self.coming = await in_database(next_publication)


_watches: "WeakKeyDictionary[asyncio.AbstractEventLoop, Watch]" = WeakKeyDictionary()


def watch() -> Watch:
    """The watch of the running loop."""
    return _watches.setdefault(asyncio.get_running_loop(), Watch())
