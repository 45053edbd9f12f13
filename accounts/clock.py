"""The one clock. Consent, deadlines, retention and leases are judged by `now()` and nothing else.

Tests of running processes move it: `CLOCK_FILE` names a file that holds an offset in seconds, read at
every call, so that all processes jump together. Settings refuse that variable outside loopback.

The demonstration tells what happened in the past (`back_at`), by the acts themselves and hence by this clock. Nothing
that serves people does: a test holds it to config/demo.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

_back_at: ContextVar[datetime | None] = ContextVar("back_at", default=None)


def now() -> datetime:
    """The present moment in UTC, as far as Parley is concerned."""
    return _back_at.get() or _present()


def machine() -> datetime:
    """What this machine's own clock says, for comparing it with other clocks and for nothing else."""
    return datetime.now(UTC)


@contextmanager
def back_at(moment: datetime) -> Iterator[None]:
    """Let it be `moment` again within the block, for this thread or task alone. Raises ValueError if it is to come."""
    if moment > _present():
        raise ValueError(f"{moment} is to come: only what is past can be told")
    before = _back_at.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _back_at.reset(before)


def _present() -> datetime:
    return machine() + _offset()


def _offset() -> timedelta:
    if not settings.CLOCK_FILE:
        return timedelta(0)
    try:
        return timedelta(seconds=float(Path(settings.CLOCK_FILE).read_text() or 0))
    except FileNotFoundError:
        return timedelta(0)
