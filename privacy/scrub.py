"""Overwriting what was purged. PostgreSQL marks deleted rows as free space and leaves their bytes where they were, even
after VACUUM; only a rewrite of the table leaves them behind.

Small tables are rewritten soon after a sweep that purged something or the end of somebody's erasure, and again later
where one was busy. Large ones are not, for a rewrite locks the table: docs/architecture.md says what an operator does
then.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta

from django.core.cache import cache
from django.db import DatabaseError, connection, models
from django.db.models import Q

from accounts import clock
from privacy.holdings import all_holdings, tagged_holdings
from privacy.models import SweepRun

logger = logging.getLogger(__name__)

LARGEST = 256 * 1024 * 1024  # bytes; rewritten in about a second
LOCK_SECONDS = 2  # a rewrite waits for the table no longer than this, for everybody behind it waits too
PAUSE = 300  # seconds between two rewrites, whatever is purged meanwhile
# A rewrite keeps rows that a transaction begun before their deletion may still look at; one more is made after this.
SETTLED = timedelta(minutes=10)
DONE, PAUSING = "scrubbed-up-to", "scrubbed-lately"  # cache keys


def scrub() -> list[str]:
    """Rewrite what was purged or erased from since the last time; returns the tables. Needs autocommit.

    What was done is remembered in the cache only: losing that costs one rewrite more.
    """
    last = SweepRun.objects.filter(Q(purged__gt=0) | Q(erased__gt=0)).order_by("-pk").first()
    if last is None or cache.get(DONE) == last.pk or not cache.add(PAUSING, 1, PAUSE):
        return []
    erased = SweepRun.objects.filter(pk__gt=cache.get(DONE, 0), erased__gt=0).exists()
    tables = [table for table in (_all_tables() if erased else _tables()) if _size(table) <= LARGEST]
    rewritten = [table for table in tables if rewrite(table)]
    if rewritten != tables:
        cache.delete(PAUSING)  # a busy table is tried again at the next call
    elif clock.now() - last.started_at > SETTLED:
        cache.set(DONE, last.pk, None)
    return rewritten


def _tables() -> Iterator[str]:
    """The tables that hold what people wrote: tagged rows, what hangs on them, and what else goes with them."""
    for holding, tagged in tagged_holdings():
        for model in holding.models:
            points_to = {field.related_model for field in model._meta.fields if isinstance(field, models.ForeignKey)}
            if model is tagged or tagged in points_to:
                yield model._meta.db_table
    yield from (model._meta.db_table for holding in all_holdings() for model in holding.purged)


def _all_tables() -> Iterator[str]:
    """The tables that hold anything of people."""
    yield from dict.fromkeys(model._meta.db_table for holding in all_holdings() for model in holding.models)


def _size(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s)", [table])
        return int(cursor.fetchone()[0])


def rewrite(table: str) -> bool:
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
