"""The sweep: purges what is due, for good.

In chunks, one transaction each: tombstones, children, rows, one ledger event. `SKIP LOCKED` lets several workers share
the work, and a run that dies leaves whole chunks behind it and nothing half done. What is invisible was so from its
`hidden_from` on, so a late sweep is never seen.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import clock
from privacy import ledger
from privacy.evidence import merkle
from privacy.holdings import Holding, all_holdings, tagged_holdings
from privacy.models import SweepRun, Tagged, Tombstone
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from accounts.models import User

CHUNK = 500


def sweep(chunk: int = CHUNK, of: "User | None" = None) -> SweepRun | None:
    """Purge everything that is due now, or all of one person's; returns the run's record, None if nothing was due."""
    run, by_class = None, Counter[str]()
    for holding, model in tagged_holdings():
        while stones := purge_chunk(holding, model, chunk, of):
            run = run or SweepRun.objects.create()
            by_class.update(stone.retention_class for stone in stones)
    for holding in all_holdings():
        holding.expire(clock.now())
    if run:
        run.by_class, run.purged, run.finished_at = dict(by_class), by_class.total(), clock.now()
        run.save()
    return run


@transaction.atomic
def purge_chunk(holding: Holding, model: type[Tagged], limit: int, of: "User | None" = None) -> list[Tombstone]:
    """Purge up to `limit` due rows of one holding in one transaction; returns their tombstones."""
    now = clock.now()
    rows: Any = model._default_manager
    whose = rows.filter(author=of) if of else rows
    due = list(
        whose.due(now)
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("purge_after")
        .values_list("pk", "public_id", "tag_class", "deleted_at")[:limit]
    )
    if not due:
        return []
    keys = [key for key, *_ in due]
    stones = [
        Tombstone(
            kind=model._meta.label_lower,
            key=public_id,
            retention_class=tag_class,
            cause="deleted" if deleted_at else "expired",
            purged_at=now,
        )
        for _, public_id, tag_class, deleted_at in due
    ]
    Tombstone.objects.bulk_create(stones)
    holding.purge_children(keys)
    doomed = rows.filter(pk__in=keys)
    doomed._raw_delete(doomed.db)
    ledger.record(
        Act.PURGED,
        source=Source.SWEEP,
        detail={"kind": model._meta.label_lower, "count": len(stones), "root": root(stones)},
    )
    return stones


def root(stones: Sequence[Tombstone]) -> str:
    """The Merkle root (RFC 6962, SHA-256) over a chunk's tombstones, in order."""
    said = [f"{stone.kind}:{stone.key}:{stone.cause}".encode() for stone in stones]
    return merkle.root([merkle.leaf_hash(one) for one in said]).hex()
