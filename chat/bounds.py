"""What one person, and one connection, may take of a process that serves everybody.

All sockets of a process share one database thread: without bounds, one script keeps everybody else waiting.
"""

import time
from collections import Counter
from collections.abc import Callable

SOCKETS = 12  # of one person in one process; somebody with more tabs is served by the forms in the others
BURST, PER_SECOND = 60, 20.0  # frames of one connection

_open: Counter[int] = Counter()


def take_seat(user: int) -> bool:
    """Count one more socket of this person; False if there are too many."""
    if _open[user] >= SOCKETS:
        return False
    _open[user] += 1
    return True


def leave_seat(user: int) -> None:
    _open[user] -= 1
    if not _open[user]:
        del _open[user]


class Bucket:
    """A token bucket: `BURST` frames at once, then `PER_SECOND`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left, self._at = float(BURST), clock()

    def take(self) -> bool:
        """Take a token for one frame; False if there is none."""
        now = self._clock()
        self._left = min(BURST, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
