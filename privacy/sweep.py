"""The sweep: purges what is due, for good.

In chunks, one transaction each: tombstones, children, rows, one ledger event. `SKIP LOCKED` lets several workers share
the work, and a run that dies leaves whole chunks behind it and nothing half done. What is invisible was so from its
`hidden_from` on, so a late sweep is never seen.

What people deleted goes first and always. What has come to its end goes as far as the breaker lets it
(privacy/breaker.py), and not at all while the clock is in doubt. What must follow outside the database is written down
in a chunk's transaction and worked off after it (privacy/outbox.py), here and by every later run.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import clock
from privacy import breaker, ledger, outbox
from privacy.evidence import merkle
from privacy.holdings import Holding, Purged, all_holdings, tagged_holdings
from privacy.models import SweepRun, SweepStop, Tagged, Tombstone
from privacy.models.sweep import StoppedBy
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from accounts.models import User

CHUNK = 500
QUIET_KEPT = timedelta(days=7)  # rows of runs that found nothing


@dataclass(frozen=True)
class Batch:
    """What is taken: what people deleted (perhaps one person's), or what has come to its end, by a permission."""

    deleted: bool
    at: datetime
    of: "User | None" = None
    permit: SweepStop | None = None

    def rows(self, model: type[Tagged]) -> Any:
        manager: Any = model._default_manager
        due = manager.due(self.at).filter(deleted_at__isnull=not self.deleted)
        return due.filter(author=self.of) if self.of else due


def sweep(
    chunk: int = CHUNK, of: "User | None" = None, stopping: Callable[[], bool] = lambda: False
) -> SweepRun | None:
    """Purge everything that is due now, or what one person deleted; returns the run's record, None if nothing went.

    `stopping` is asked between chunks: once it says yes, the run ends.
    """
    run = SweepRun.objects.create()
    _purge(run, Batch(deleted=True, at=clock.now(), of=of), None, chunk, stopping)
    if of is None and not run.stopped_by:
        _purge_expired(run, chunk, stopping)
    outbox.work_off()
    run.finished_at = clock.now()
    if of and not run.purged:
        run.delete()
    else:
        run.save()
    return run if run.purged else None


def _purge_expired(run: SweepRun, chunk: int, stopping: Callable[[], bool]) -> None:
    """What has come to its end, no more of it than was counted before the first."""
    ruling = breaker.rule(run.started_at)
    run.stopped_by, run.clock_at = ruling.stopped_by, ruling.clock_at
    batch = Batch(deleted=False, at=run.started_at, permit=ruling.permit)
    _purge(run, batch, ruling.allowed, chunk, stopping)
    if ruling.permit and not run.stopped_by:
        breaker.use(ruling.permit)
    if run.clock_at:
        for holding in all_holdings():
            holding.expire(clock.now())
        _forget_quiet_runs(run)


def _purge(run: SweepRun, batch: Batch, most: int | None, chunk: int, stopping: Callable[[], bool]) -> None:
    """Chunk after chunk, until nothing is left or `most` are gone."""
    begun_with = run.purged
    for holding, model in tagged_holdings():
        while (limit := chunk if most is None else min(chunk, most + begun_with - run.purged)) > 0:
            if stopping():
                run.stopped_by = StoppedBy.SHUTDOWN
                return
            if not purge_chunk(run, holding, model, batch, limit):
                break


@transaction.atomic
def purge_chunk(run: SweepRun, holding: Holding, model: type[Tagged], batch: Batch, limit: int) -> list[Tombstone]:
    """Purge up to `limit` rows of one holding in one transaction; returns their tombstones."""
    if batch.permit:
        limit = breaker.take(batch.permit, limit)
    columns = ("pk", "public_id", "tag_class", "tag_reason")
    rows = batch.rows(model).select_for_update(skip_locked=True, of=("self",)).order_by("purge_after")
    due = list(rows.values_list(*columns)[:limit])
    if not due:
        return []
    stones = [
        Tombstone(
            kind=model._meta.label_lower,
            key=public_id,
            retention_class=tag_class,
            cause="deleted" if batch.deleted else "expired",
            purged_at=clock.now(),
        )
        for _, public_id, tag_class, _ in due
    ]
    Tombstone.objects.bulk_create(stones)
    keys = [key for key, *_ in due]
    hung_on = holding.purge_children(keys)
    doomed: Any = model._default_manager.filter(pk__in=keys)
    doomed._raw_delete(doomed.db)
    ledger.record(
        Act.PURGED,
        source=Source.SWEEP,
        detail={"kind": model._meta.label_lower, "count": len(stones), "root": root(stones)},
    )
    if batch.permit:
        breaker.use(batch.permit, len(stones))
    _note(run, Counter((tag_class, reason) for *_, tag_class, reason in due), hung_on, deleted=batch.deleted)
    return stones


def _note(run: SweepRun, gone: Counter[tuple[str, str]], hung_on: Purged, *, deleted: bool) -> None:
    for (tag_class, reason), number in gone.items():
        reasons = run.by_reason.setdefault(tag_class, {})
        reasons[reason] = reasons.get(reason, 0) + number
    run.by_class = {tag_class: sum(reasons.values()) for tag_class, reasons in run.by_reason.items()}
    run.purged += gone.total()
    run.deleted += gone.total() if deleted else 0
    run.rows += gone.total() + hung_on.rows
    run.bytes += hung_on.bytes
    run.chunks += 1
    run.save()


def _forget_quiet_runs(run: SweepRun) -> None:
    """A run a minute leaves half a million rows a year that say that nothing was due."""
    quiet = SweepRun.objects.filter(purged=0, erased=0, stopped_by="", started_at__lt=run.started_at - QUIET_KEPT)
    quiet.exclude(pk=run.pk).delete()


def root(stones: Sequence[Tombstone]) -> str:
    """The Merkle root (RFC 6962, SHA-256) over a chunk's tombstones, in order."""
    said = [f"{stone.kind}:{stone.key}:{stone.cause}".encode() for stone in stones]
    return merkle.root([merkle.leaf_hash(one) for one in said]).hex()
