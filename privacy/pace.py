"""How fast background work goes through many rows: at full speed where nobody is about, in small steps beside people.

After each chunk it is asked how long the chunk took and who else has used the database lately; the answer is the size
of the next chunk and how long to rest before it. A chunk beside people is short, so that whoever comes meanwhile waits
for little, and the rests are long beside it, so that most people meet none. The decision is pure; `Pacemaker` looks,
decides and rests, and is what the sweep and whoever else works through very many rows use.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from django.db import connection

# Rows of a first chunk: nothing is known yet.
FIRST, SMALLEST, LARGEST = 100, 50, 1_000
ALONE, BESIDE = 0.5, 0.02  # seconds that a chunk should take
RESTS = 5  # times as long as the chunk took, beside people
SHORTEST_REST, LONGEST_REST = 0.05, 0.5  # seconds; even beside a crowd something goes
LATELY = 2.0  # seconds for which somebody counts as being about

# By the sessions of the application's own role; those of others say nothing of themselves.
LOOK = """
SELECT
    count(*) FILTER (WHERE application_name <> %(name)s),
    count(*) FILTER (WHERE application_name <> %(name)s AND state = 'active' AND wait_event_type IN ('Lock', 'IO')),
    count(*) FILTER (WHERE application_name = %(name)s)
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    AND (state <> 'idle' OR state_change > clock_timestamp() - make_interval(secs => %(lately)s))
"""
NAME = "parley paced"  # of sessions that work by this; they are no people


@dataclass(frozen=True)
class Seen:
    """What a chunk cost, and who was about: other sessions that did something lately, those of them that wait for a
    lock or for the disk at this moment, and fellow workers at the same kind of work.
    """

    rows: int
    seconds: float
    others: int = 0
    waiting: int = 0
    fellows: int = 0


@dataclass(frozen=True)
class Pace:
    """Rows of the next chunk, and seconds of rest before it."""

    chunk: int = FIRST
    rest: float = 0.0


def paced(before: Pace, seen: Seen, largest: int = LARGEST) -> Pace:
    """The pace after what was seen: it grows twofold at most, and falls as far as it must at once."""
    target = BESIDE if seen.others else ALONE
    fits = int(seen.rows * target / max(seen.seconds, 0.0001))
    smallest = min(SMALLEST, largest)
    chunk = max(min(fits, before.chunk * 2, largest), smallest)
    if not seen.others:
        return Pace(chunk)
    rest = min(max(seen.seconds * RESTS, SHORTEST_REST), LONGEST_REST)
    # Fellows rest in turn; where somebody waits, whoever is not there makes nobody wait.
    return Pace(chunk, min(rest * (1 + seen.fellows) * (2 if seen.waiting else 1), LONGEST_REST * (1 + seen.fellows)))


class Pacemaker:
    """For one run through many rows: `with Pacemaker() as pace`, `pace.chunk` rows at a time, `pace.done(rows)` after
    each. `stopping` ends a rest early. Not for use inside a transaction.
    """

    def __init__(self, largest: int = LARGEST, stopping: Callable[[], bool] = lambda: False) -> None:
        self.largest, self.stopping = largest, stopping
        self.pace = Pace(min(FIRST, largest))

    def __enter__(self) -> Self:
        self._call_session(NAME)
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self._call_session(None)

    @property
    def chunk(self) -> int:
        return self.pace.chunk

    def done(self, rows: int) -> None:
        """Note a chunk that is committed, and rest as long as it needs."""
        seconds = time.monotonic() - self._began
        self.pace = paced(self.pace, Seen(rows, seconds, *_look()), self.largest)
        until = time.monotonic() + self.pace.rest
        while (left := until - time.monotonic()) > 0 and not self.stopping():
            time.sleep(min(left, 0.1))
        self._began = time.monotonic()

    def _call_session(self, name: str | None) -> None:
        """Let other sessions' looks know this one. `None`: as it was called before."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('application_name', %s, false)", [name]) if name else cursor.execute(
                "RESET application_name"
            )


def _look() -> tuple[int, int, int]:
    """Others, those of them that wait, and fellows; see `Seen`."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK, {"name": NAME, "lately": LATELY})
        others, waiting, fellows = cursor.fetchone()
    return others, waiting, fellows
