"""The outbox: what follows a purge in stores beside the database, which no transaction reaches.

A purge writes down, in its own transaction, which keys each store must forget. That is worked off after the commit and
again every minute, until the store itself has said that they are gone: a store that is away, or a process that dies,
delays it and loses nothing. Stores are independent; one that fails does not hold up the others.

A store's function raises unless it reached the store and the keys are not there afterwards. That they were not there
before is as good, but only of the store itself: an address that does not answer has not said "not found".
"""

import json
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.db import connection, transaction

from accounts import clock
from privacy.holdings import all_holdings
from privacy.models import Forgotten, Outbox

AT_ONCE = 1_000  # keys in a row, and rows in a pass
IN_HAND = 20  # rows that a worker holds at a time
LEASE = timedelta(minutes=1)  # a worker that dies with a row leaves it to others after this
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)  # doubled with each failure
WRITE = """
INSERT INTO privacy_outbox (store, event, keys, written_at, next_at, attempts, failure)
SELECT %(store)s, %(event)s::bigint, keys, %(now)s, %(now)s, 0, '' FROM jsonb_array_elements(%(rows)s::jsonb) AS keys
"""

logger = logging.getLogger(__name__)


def write(store: str, keys: Sequence[str], event: int | None = None) -> None:
    """Note, in the caller's transaction, that `store` must forget `keys` of the purge that `event` records."""
    now, rows = clock.now(), [keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE)]
    with connection.cursor() as cursor:  # as one parameter: an array of very many keys costs more than their purge
        cursor.execute(WRITE, {"store": store, "event": event, "rows": json.dumps(rows), "now": now})


def work_off() -> int:
    """Have the stores forget what is due; returns how many rows are done. May run twice at once."""
    stores, failing, done, seen = _stores(), dict[str, str](), 0, 0
    while seen < AT_ONCE and (rows := _claim(min(IN_HAND, AT_ONCE - seen))):
        seen += len(rows)
        forgotten = [row for row in rows if _forget(stores, failing, row)]
        _done(forgotten)
        done += len(forgotten)
    return done


@transaction.atomic
def _done(rows: Sequence[Outbox]) -> None:
    """Certificates ask when the stores had forgotten. A row that another worker was given too is noted by one."""
    gone = {row.pk for row in Outbox.objects.filter(pk__in=[row.pk for row in rows]).select_for_update().only("pk")}
    Outbox.objects.filter(pk__in=gone).delete()
    Forgotten.objects.bulk_create(
        Forgotten(store=row.store, event=row.event, keys=len(row.keys)) for row in rows if row.event and row.pk in gone
    )


def _stores() -> dict[str, Callable[[Sequence[str]], None]]:
    return {name: forget for holding in all_holdings() for name, forget in holding.stores.items()}


def _claim(most: int) -> list[Outbox]:
    """Rows for this worker alone, oldest first."""
    now = clock.now()
    with transaction.atomic():
        due = Outbox.objects.due(now).select_for_update(skip_locked=True)
        rows = list(due[:most])
        Outbox.objects.filter(pk__in=[row.pk for row in rows]).update(next_at=now + LEASE)
    return rows


def _forget(stores: dict[str, Callable[[Sequence[str]], None]], failing: dict[str, str], row: Outbox) -> bool:
    """Have one store forget one row's keys; says whether it did. `failing` are stores, with the kind of their failure.

    Where one fails, its rows pause without another try: nobody waits for it once more.
    """
    if row.store not in failing:
        try:
            stores[row.store](row.keys)
            return True
        except Exception as error:  # whatever is wrong with one store is no reason to leave the others alone
            failing[row.store] = type(error).__name__
            logger.warning("%s did not forget what was purged (%s); it is tried again", row.store, failing[row.store])
    _postpone(row, failing[row.store])
    return False


def _postpone(row: Outbox, failure: str) -> None:
    row.attempts += 1
    row.failure = failure
    row.next_at = clock.now() + min(FIRST_PAUSE * 2 ** min(row.attempts - 1, 10), LONGEST_PAUSE)
    row.save(update_fields=["attempts", "failure", "next_at"])
