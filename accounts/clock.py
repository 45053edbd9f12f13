"""The one clock. Consent, deadlines, retention and leases are judged by `now()` and nothing else.

Tests of running processes move it: `CLOCK_FILE` names a file that holds an offset in seconds, read at
every call, so that all processes jump together. Settings refuse that variable outside loopback.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings


def now() -> datetime:
    """The present moment in UTC, as far as Parley is concerned."""
    return datetime.now(UTC) + _offset()


def _offset() -> timedelta:
    if not settings.CLOCK_FILE:
        return timedelta(0)
    try:
        return timedelta(seconds=float(Path(settings.CLOCK_FILE).read_text() or 0))
    except FileNotFoundError:
        return timedelta(0)
