"""Nobody reads from a database that is older than the log: not even a connection to it is opened.

Asked when a connection to the server opens, which costs one look at the log's end and two queries; one that a pool
gives out again was asked before. A database can only be replaced by closing its connections, so running processes ask
too. What opens connections all the same is what makes it right: `migrate` and `replay_erasures`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

from django.db import DEFAULT_DB_ALIAS, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from privacy.guard import log

PUTS_RIGHT = {"migrate", "replay_erasures"}  # commands

_asked: "WeakSet[Any]" = WeakSet()  # connections of psycopg
_off = ContextVar("guard is off", default=False)


class OlderThanLog(OperationalError):
    """This database was restored from a backup that does not know what was deleted, erased and withdrawn since."""

    def __init__(self) -> None:
        super().__init__(f"the database is older than {log.place()}: run manage.py replay_erasures (docs/restoring.md)")


@contextmanager
def off() -> Iterator[None]:
    """Connections that are opened here are not asked."""
    token = _off.set(True)
    try:
        yield
    finally:
        _off.reset(token)


def ask(sender: Any, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Refuse a new connection to an older database. Raises OlderThanLog."""
    if connection.alias != DEFAULT_DB_ALIAS or _off.get() or (sys.argv[1:2] and sys.argv[1] in PUTS_RIGHT):
        return
    if connection.connection in _asked:
        return
    if is_older(connection):
        connection.close()
        raise OlderThanLog
    _asked.add(connection.connection)


def is_older(connection: BaseDatabaseWrapper) -> bool:
    """Whether the log's last line is one that this database does not know."""
    last = log.last()
    if last is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('privacy_guardentry') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return True
        cursor.execute("SELECT NOT EXISTS (SELECT FROM privacy_guardentry WHERE key = %s)", [last.key])
        return bool(cursor.fetchone()[0])
