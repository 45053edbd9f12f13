"""Overwriting what was purged. PostgreSQL marks deleted rows as free space and leaves their bytes where they were, even
after VACUUM; only a rewrite of the table leaves them behind. Small tables are rewritten after every sweep that purged
something. Large ones are not, for a rewrite locks the table: docs/architecture.md says what an operator does then.
"""

import logging

from django.db import DatabaseError, connection

from privacy.holdings import all_holdings

logger = logging.getLogger(__name__)

LARGEST = 256 * 1024 * 1024  # bytes; rewritten in about a second
LOCK_SECONDS = 2  # a rewrite waits for the table no longer than this, for everybody behind it waits too


def scrub() -> list[str]:
    """Rewrite the small tables of all holdings; returns the names of those that were. Needs autocommit."""
    return [table for table in _tables() if _size(table) <= LARGEST and _rewrite(table)]


def _tables() -> list[str]:
    tagged = [holding for holding in all_holdings() if holding.tagged]
    return [model._meta.db_table for holding in tagged for model in holding.models]


def _size(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s)", [table])
        return int(cursor.fetchone()[0])


def _rewrite(table: str) -> bool:
    """Rewrite one table. A busy table, or a role without MAINTAIN (PostgreSQL 17), costs a log line."""
    name = connection.ops.quote_name(table)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
            try:
                cursor.execute(f"VACUUM (FULL) {name}")
            finally:
                cursor.execute("RESET lock_timeout")
    except DatabaseError as error:
        logger.warning("%s was not rewritten: %s", table, type(error.__cause__).__name__)
        return False
    return True
