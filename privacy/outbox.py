"""The outbox: what follows a purge in stores beside the database, which no transaction reaches.

A purge writes down, in its own transaction, which keys each store must forget. That is worked off after the commit and
again every minute, until the store itself has said that they are gone: a store that is away, or a process that dies,
delays it and loses nothing. Stores are independent; one that fails does not hold up the others.

A store's function raises unless it reached the store and the keys are not there afterwards. That they were not there
before is as good, but only of the store itself: an address that does not answer has not said "not found".
"""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from accounts import clock
from privacy.holdings import all_holdings
from privacy.models import Outbox

AT_ONCE = 1_000  # keys in a row, and rows in a pass
LEASE = timedelta(minutes=1)  # a worker that dies with a row leaves it to others after this
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)  # doubled with each failure

logger = logging.getLogger(__name__)


def write(store: str, keys: Sequence[str]) -> None:
    """Note, in the caller's transaction, that `store` must forget `keys`."""
    parts = [list(keys[start : start + AT_ONCE]) for start in range(0, len(keys), AT_ONCE)]
    Outbox.objects.bulk_create(Outbox(store=store, keys=part) for part in parts)


def work_off() -> int:
    """Have the stores forget what is due; returns how many rows are done. May run twice at once."""
    stores, failing, done = _stores(), set[str](), 0
    for pk in list(Outbox.objects.due(clock.now()).values_list("pk", flat=True)[:AT_ONCE]):
        row = _claim(pk)
        if row is None:
            continue
        if row.store in failing:  # its pause is that of the row which failed; nobody waits for it once more
            _postpone(row, row.failure)
        elif failure := _forget(stores, row):
            failing.add(row.store)
            _postpone(row, failure)
        else:
            done += 1
    return done


def _stores() -> dict[str, Callable[[Sequence[str]], None]]:
    return {name: forget for holding in all_holdings() for name, forget in holding.stores.items()}


def _claim(pk: int) -> Outbox | None:
    """The row, for this worker alone; None if another has it or is done with it."""
    now = clock.now()
    mine = Outbox.objects.due(now).filter(pk=pk).update(next_at=now + LEASE)
    return Outbox.objects.filter(pk=pk).first() if mine else None


def _forget(stores: dict[str, Callable[[Sequence[str]], None]], row: Outbox) -> str:
    """Have one store forget one row's keys, and drop the row; returns the kind of the failure, if it fails."""
    try:
        stores[row.store](row.keys)
    except Exception as error:  # whatever is wrong with one store is no reason to leave the others alone
        logger.warning("%s did not forget what was purged (%s); it is tried again", row.store, type(error).__name__)
        return type(error).__name__
    row.delete()
    return ""


def _postpone(row: Outbox, failure: str) -> None:
    row.attempts += 1
    row.failure = failure
    row.next_at = clock.now() + min(FIRST_PAUSE * 2 ** min(row.attempts - 1, 10), LONGEST_PAUSE)
    row.save(update_fields=["attempts", "failure", "next_at"])
