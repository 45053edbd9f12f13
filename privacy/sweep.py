"""The sweep: purges what is due, for good.

In chunks, one transaction each: tombstones, children, rows, one ledger event. `SKIP LOCKED` lets several workers share
the work, and a run that dies leaves whole chunks behind it and nothing half done. What is invisible was so from its
`hidden_from` on, so a late sweep is never seen. How large a chunk is, and how long to rest between two, follows from
who else is about (privacy/pace.py).

What people deleted goes first and always. What has come to its end goes as far as the breaker lets it
(privacy/breaker.py), and not at all while the clock is in doubt. What must follow outside the database is written down
in a chunk's transaction and worked off after it (privacy/outbox.py), here and by every later run.

A chunk is a handful of statements, whatever its size, in SQL where the ORM would make an object or a parameter of every
row: what they cost beside a bare DELETE is in docs/benchmarks.md.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection, transaction

from accounts import clock
from privacy import breaker, certificates, flagging, ledger, outbox, pace, totals
from privacy.evidence import merkle
from privacy.holdings import Holding, Purged, Went, all_holdings, tagged_holdings
from privacy.models import Event, SweepRun, SweepStop, Tagged, Tombstone
from privacy.models.sweep import StoppedBy
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from accounts.models import User

QUIET_KEPT = timedelta(days=7)  # rows of runs that found nothing
# As one parameter: arrays of very many texts and moments cost more to write than their rows.
DUE = "jsonb_to_recordset(%s::jsonb) AS due (key uuid, class text, went jsonb, author bigint, deleted_at timestamptz)"
BURY = f"""
INSERT INTO privacy_tombstone (kind, key, retention_class, cause, purged_at, event, went)
SELECT %s, key, class, %s, %s, %s, went FROM {DUE}
"""  # noqa: S608 — a constant
REMEMBER = f"""
INSERT INTO privacy_deletion (user_id, key, deleted_at, purged_at)
SELECT author, key, deleted_at, %s FROM {DUE} WHERE author IS NOT NULL
"""  # noqa: S608 — a constant


class Due(NamedTuple):
    """What the sweep needs to know of a row, and no word of it."""

    pk: int
    public_id: UUID
    tag_class: str
    tag_reason: str
    purge_after: datetime
    deleted_at: datetime | None
    author: int | None


@dataclass(frozen=True)
class Batch:
    """What is taken: what people deleted (perhaps one person's), or what has come to its end, by a permission.

    `since` is how far a run has come: what is gone before it is not looked through again for each chunk.
    """

    deleted: bool
    at: datetime
    of: "User | None" = None
    permit: SweepStop | None = None
    since: datetime | None = None

    @property
    def cause(self) -> str:
        return "deleted" if self.deleted else "expired"

    def rows(self, model: type[Tagged]) -> Any:
        manager: Any = model._default_manager
        due = manager.due(self.at).filter(deleted_at__isnull=not self.deleted)
        due = due.filter(purge_after__gte=self.since) if self.since else due
        return due.filter(author=self.of) if self.of else due


@dataclass(frozen=True)
class Limits:
    """When a run ends before everything is gone: told to, or after so many seconds."""

    stopping: Callable[[], bool]
    within: float | None
    begun: float

    def reached(self) -> StoppedBy | None:
        if self.stopping():
            return StoppedBy.SHUTDOWN
        late = self.within is not None and time.monotonic() - self.begun > self.within
        return StoppedBy.TIME if late else None


def sweep(
    chunk: int = pace.LARGEST,
    of: "User | None" = None,
    stopping: Callable[[], bool] = lambda: False,
    within: float | None = None,
) -> SweepRun | None:
    """Purge everything that is due now, or what one person deleted; returns the run's record, None if nothing went.

    `chunk` is the most in one transaction. `stopping` is asked between chunks: once it says yes, the run ends, and so
    it does after `within` seconds; the next one goes on.
    """
    limits = Limits(stopping, within, time.monotonic())
    run = SweepRun.objects.create()
    with pace.Pacemaker(chunk, stopping) as pacemaker:
        _purge(run, Batch(deleted=True, at=clock.now(), of=of), None, pacemaker, limits)
        if of is None and not run.stopped_by:
            _purge_expired(run, pacemaker, limits)
    while outbox.work_off() == outbox.AT_ONCE and not limits.reached():
        pass
    run.finished_at = clock.now()
    if of and not run.purged:
        run.delete()
    else:
        run.save()
    return run if run.purged else None


def _purge_expired(run: SweepRun, pacemaker: pace.Pacemaker, limits: Limits) -> None:
    """What has come to its end, no more of it than was counted before the first."""
    ruling = breaker.rule(run.started_at)
    run.stopped_by, run.clock_at = ruling.stopped_by, ruling.clock_at
    batch = Batch(deleted=False, at=run.started_at, permit=ruling.permit)
    _purge(run, batch, ruling.allowed, pacemaker, limits)
    if ruling.permit and not run.stopped_by:
        breaker.use(ruling.permit)
    if run.clock_at:
        for holding in all_holdings():
            holding.expire(clock.now())
        totals.fold(run.started_at)
        _forget_quiet_runs(run)


def _purge(run: SweepRun, batch: Batch, most: int | None, pacemaker: pace.Pacemaker, limits: Limits) -> None:
    """Chunk after chunk, until nothing is left or `most` are gone."""
    begun_with = run.purged
    for holding, model in tagged_holdings():
        here = batch
        while (limit := _limit(pacemaker.chunk, most, run.purged - begun_with)) > 0:
            if reached := limits.reached():
                run.stopped_by = reached
                return
            due = purge_chunk(run, holding, model, here, limit)
            if len(due) < limit:  # the rest, if there is any, is in the hands of others
                break
            here = replace(here, since=due[-1].purge_after)
            pacemaker.done(len(due))


def _limit(chunk: int, most: int | None, gone: int) -> int:
    return chunk if most is None else min(chunk, most - gone)


@transaction.atomic
def purge_chunk(run: SweepRun, holding: Holding, model: type[Tagged], batch: Batch, limit: int) -> list[Due]:
    """Purge up to `limit` rows of one holding in one transaction; returns what they were, in the order of their
    tombstones.
    """
    if batch.permit:
        limit = breaker.take(batch.permit, limit)
    with connection.cursor() as cursor:  # by the index on the ends, whatever a plan for any bounds makes of these
        cursor.execute("SET LOCAL enable_sort = off")
    rows = batch.rows(model).select_for_update(skip_locked=True, of=("self",)).order_by("purge_after")
    due = [Due(*row) for row in rows.values_list(*Due._fields)[:limit]]
    if not due:
        return []
    kind, keys = model._meta.label_lower, [row.public_id for row in due]
    detail = {"kind": kind, "count": len(due), "root": _root((kind, key, batch.cause) for key in keys)}
    event = ledger.record(Act.PURGED, source=Source.SWEEP, detail=detail)
    hung_on = holding.purge_children([row.pk for row in due])
    flagging.forget(kind, keys)
    _bury(event, kind, batch.cause, due, hung_on)
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(model._meta.db_table)
        cursor.execute(f"DELETE FROM {table} WHERE id = ANY(%s)", [[row.pk for row in due]])  # noqa: S608 — a name
    if batch.permit:
        breaker.use(batch.permit, len(due))
    _note(run, Counter((row.tag_class, row.tag_reason) for row in due), hung_on, deleted=batch.deleted)
    return due


def _bury(event: Event, kind: str, cause: str, due: Sequence[Due], hung_on: Purged) -> None:
    """A tombstone for each, with what its certificate will say; and what stores outside the database must forget."""
    went = [hung_on.of.get(row.pk, Went()) for row in due]
    said = orjson.dumps([_said(row, one) for row, one in zip(due, went, strict=True)]).decode()
    with connection.cursor() as cursor:
        cursor.execute(BURY, [kind, cause, event.at, event.pk, said])
        if cause == "deleted":
            cursor.execute(REMEMBER, [event.at, said])
    for store in sorted({store for one in went for store in one.stores}):
        outbox.write(store, [key for one in went for key in one.stores.get(store, ())], event.pk)


def _said(row: Due, went: Went) -> dict[str, Any]:
    """What a tombstone says, and whose it was: that is not in it."""
    stores = {store: len(keys) for store, keys in went.stores.items()}
    numbers = {"rows": went.rows, "stores": stores, "operators": went.operators}
    facts = {"key": row.public_id, "class": row.tag_class, "author": row.author, "deleted_at": row.deleted_at}
    return {**facts, "went": numbers}


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
    return _root((stone.kind, stone.key, stone.cause) for stone in stones)


def _root(said: Iterable[tuple[str, UUID, str]]) -> str:
    return merkle.root([merkle.leaf_hash(certificates.leaf(*one)) for one in said]).hex()
