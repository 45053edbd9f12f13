"""The whole verification: every check in turn, on one snapshot of the database."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from django.db import connection, transaction

from privacy.evidence import headsfile, kept, verifying
from privacy.evidence.verifying import BadRow, Tick

SHOWN_EVERY = 50_000  # rows
Shown = Callable[[str, int], None]


@dataclass(frozen=True)
class Finding:
    """What one check found: how many rows it looked at, and the first bad one in words (empty: none)."""

    check: str
    rows: int
    bad: str = ""


@dataclass
class _Count:
    check: str
    show: Shown
    rows: int = field(default=0)

    def __call__(self) -> None:
        self.rows += 1
        if self.rows % SHOWN_EVERY == 0:
            self.show(self.check, self.rows)


def verify(*, kept_heads: Sequence[Path] = (), kept_keys: Sequence[Path] = (), show: Shown) -> Iterator[Finding]:
    """Run every check; each stops at its first bad row and the next goes on. `show` hears of progress."""
    file = headsfile.path()
    written = file.stat().st_size if file.exists() else 0  # lines of heads that the snapshot contains
    checks: list[tuple[str, Callable[[Tick], None]]] = [
        ("keys", verifying.check_keys),
        ("events", verifying.check_events),
        ("tree", verifying.check_tree),
        ("heads", verifying.check_heads),
    ]
    if written:
        checks.append((f"heads in {file.name}", partial(kept.check_heads, file, end=written)))
    checks += [(f"keys kept in {path}", partial(kept.check_keys, path)) for path in kept_keys]
    checks += [(f"heads kept in {path}", partial(kept.check_heads, path)) for path in kept_heads]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for name, check in checks:
            yield _finding(check, _Count(name, show))


def waiting() -> int:
    """How many events have no leaf yet: what is recorded between two runs of the builder."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM privacy_event) - (SELECT count(*) FROM privacy_leaf)")
        return int(cursor.fetchone()[0])


def _finding(check: Callable[[Tick], None], count: _Count) -> Finding:
    try:
        check(count)
    except BadRow as bad:
        return Finding(count.check, count.rows, str(bad))
    return Finding(count.check, count.rows)
