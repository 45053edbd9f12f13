"""What all runs of the sweep did together. Old runs are added up once, so that figures read those of a day."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction

from privacy.models import SweepRun, SweepTotal
from privacy.models.sweep import StoppedBy

SETTLED = timedelta(days=1)  # no run takes longer: what it did does not change any more
BREAKER = (StoppedBy.MANY, StoppedBy.CLOCK)


@dataclass
class Total:
    """What was purged by class, rows and bytes with it, and how many runs the breaker stopped."""

    by_class: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    bytes: int = 0
    stopped: int = 0

    def add(self, runs: Iterable[SweepRun]) -> None:
        for run in runs:
            self.by_class.update(run.by_class)
            self.rows += run.rows
            self.bytes += run.bytes
            self.stopped += run.stopped_by in BREAKER


def total() -> Total:
    """Of all runs there ever were."""
    folded = SweepTotal.objects.first() or SweepTotal()
    found = _of(folded)
    found.add(_since(folded.through))
    return found


@transaction.atomic
def fold(now: datetime) -> None:
    """Add what is settled to the total, once, whoever else is at it."""
    SweepTotal.objects.bulk_create([SweepTotal(pk=1)], ignore_conflicts=True)
    folded = SweepTotal.objects.select_for_update().get(pk=1)
    later = SweepRun.objects.filter(pk__gt=folded.through)
    young = later.filter(started_at__gte=now - SETTLED).aggregate(first=models.Min("pk"))["first"]
    settled = later.filter(pk__lt=young) if young else later
    last = settled.aggregate(last=models.Max("pk"))["last"]
    if last is None:
        return
    found = _of(folded)
    found.add(_since(folded.through).filter(pk__lte=last))
    values: dict[str, Any] = vars(found) | {"by_class": dict(found.by_class), "through": last}
    SweepTotal.objects.filter(pk=1).update(**values)


def _of(folded: SweepTotal) -> Total:
    return Total(Counter(folded.by_class), folded.rows, folded.bytes, folded.stopped)


def _since(through: int) -> "models.QuerySet[SweepRun]":
    """Later runs that have something to add."""
    busy = models.Q(purged__gt=0) | models.Q(stopped_by__in=BREAKER)
    return SweepRun.objects.filter(busy, pk__gt=through)
