"""Figures of the sweep, the ledger and what waits, read from the database: for staff's page and for `/metrics`.

Every process sees the same, and nothing is counted in memory. What they cost does not grow with the tables: each is one
row at the end of an index, or a count that ends at `MOST`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Sum

from accounts import clock
from privacy import totals
from privacy.holdings import tagged_holdings
from privacy.models import Erasure, GuardEntry, Outbox, Reminder, Retagging, SweepRun, SweepStop, TagCheck, TreeHead
from privacy.vocabulary import RetentionClass

MOST = 10_000  # nothing is counted further: whoever reads it knows enough


@dataclass(frozen=True)
class Gauge:
    """One figure: its name without the product's, what it says, and its values, by a label if it has one.

    Names end in `_total` for what only ever grows, and in `_seconds` for lengths of time.
    """

    name: str
    says: str
    values: Mapping[str, float]
    label: str = ""

    @property
    def counts_up(self) -> bool:
        return self.name.endswith("_total")

    @property
    def is_time(self) -> bool:
        return self.name.endswith("_seconds")


def gauges() -> list[Gauge]:
    """All of them at this moment."""
    now = clock.now()
    return [*_sweep(now), *_purged(), *_waiting(now), *_drift(now)]


def _sweep(now: datetime) -> Iterator[Gauge]:
    backlog = Backlog.at(now)
    yield Gauge("backlog", f"Conversations that are due now, {MOST:,} at most", backlog.counts, "cause")
    yield _one("oldest_overdue_seconds", "How long the one that is due for longest has been", backlog.seconds)
    last = SweepRun.objects.filter(finished_at__isnull=False).values_list("finished_at", flat=True).first()
    if last:
        yield _one("last_sweep_seconds", "Since the last sweep came to its end", _seconds(last, now))
    open_question = SweepStop.objects.open().exists()
    yield _one("sweep_waits_for_staff", "Whether the sweep has stopped and asks staff", float(open_question))


def _purged() -> Iterator[Gauge]:
    total = totals.total()
    by_class = {name.value: float(total.by_class[name]) for name in RetentionClass}
    yield Gauge("purged_total", "Conversations that were purged", by_class, "class")
    yield _one("purged_rows_total", "Rows that were purged, with what hung on them", total.rows)
    yield _one("purged_bytes_total", "Bytes of text that were purged", total.bytes)
    yield _one("sweeps_stopped_total", "Sweeps that the breaker stopped", total.stopped)


def _waiting(now: datetime) -> Iterator[Gauge]:
    written = Outbox.objects.order_by("pk").values_list("written_at", flat=True).first()
    yield _one("outbox_rows", f"Rows of the outbox, {MOST:,} at most", _count(Outbox.objects.order_by("pk")))
    yield _one("outbox_oldest_seconds", "How long the oldest row of the outbox has waited", _seconds(written, now))
    erasures = Erasure.objects.due(now)
    due_since = erasures.order_by("due_at").values_list("due_at", flat=True).first()
    yield _one("erasures", f"Accounts that are being erased, {MOST:,} at most", _count(erasures.order_by("pk")))
    yield _one("erasure_oldest_seconds", "How long the first of them has been due", _seconds(due_since, now))
    unlogged = GuardEntry.objects.filter(sequence__isnull=True).order_by("pk")
    written_at = unlogged.values_list("at", flat=True).first()
    yield _one("guard_oldest_seconds", "How long a deletion or withdrawal waits for the log", _seconds(written_at, now))
    unsent = Reminder.objects.filter(sent_at__isnull=True, deadline__gt=now).order_by("deadline")
    yield _one("reminders_waiting", f"Reminders that are written down and not sent, {MOST:,} at most", _count(unsent))
    signed = TreeHead.objects.values_list("at", flat=True).first()
    if signed:
        yield _one("ledger_head_seconds", "Since the ledger's tree was last signed", _seconds(signed, now))


def _drift(now: datetime) -> Iterator[Gauge]:
    """What the last check of all tags found, and what waits to be tagged anew."""
    last = TagCheck.objects.filter(finished_at__isnull=False).first()
    if last:
        assert last.finished_at
        yield _one("tags_drifted", "Tags that differed from the policy when all were last compared", last.drifted)
        yield _one("tags_compared_seconds", "Since all tags were last compared", _seconds(last.finished_at, now))
    open_ones = Retagging.objects.open()
    waiting = open_ones.aggregate(left=Sum(F("total") - F("done")))["left"] or 0
    yield _one("retag_rows", "Conversations that are to be tagged anew", max(waiting, 0))
    first = open_ones.order_by("pk").values_list("at", flat=True).first()
    yield _one("retag_oldest_seconds", "Since the first of what is to be tagged anew was decided", _seconds(first, now))


@dataclass(frozen=True)
class Backlog:
    """What is due: how many because people deleted it or it came to its end, and for how long the first has been."""

    counts: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def at(cls, now: datetime) -> "Backlog":
        counts, oldest = {"deleted": 0.0, "expired": 0.0}, now
        for _holding, model in tagged_holdings():
            due: Any = model._default_manager.due(now).order_by("purge_after")  # type: ignore[attr-defined]
            found = [(deleted is not None, end) for deleted, end in due.values_list("deleted_at", "purge_after")[:MOST]]
            counts["deleted"] += sum(deleted for deleted, _ in found)
            counts["expired"] += sum(not deleted for deleted, _ in found)
            oldest = min([oldest, *(end for _, end in found[:1])])
        return cls(counts, _seconds(oldest, now))


def _one(name: str, says: str, value: float) -> Gauge:
    return Gauge(name, says, {"": float(value)})


def _seconds(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0) if since else 0.0


def _count(rows: "models.QuerySet[Any]") -> int:
    return rows[:MOST].count()
