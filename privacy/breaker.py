"""The circuit breaker: a sweep that would purge far more than usual asks staff before it purges anything.

A mistake in a schedule, a tag or a clock makes very many conversations due at once, and purging is for good. So each
run counts first what has come to its end, and looks at the clock. It never purges more of it than it counted, and
beyond the limits nothing until staff says so. What people deleted themselves is no concern of the breaker: they were
promised that it goes within a day, and a deletion is their own act, one at a time (docs/decisions/0010).
"""

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models.functions import TruncDate

from accounts import clock
from privacy import ledger
from privacy.canonical import moment
from privacy.holdings import tagged_holdings
from privacy.models import SweepRun, SweepStop
from privacy.models.sweep import StoppedBy
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

APART = timedelta(minutes=5)  # further from each other, of two clocks one is wrong
LOOKS_BACK = timedelta(days=14)  # of history, for staff to compare with
EXAMPLES = 3  # of each class and reason


@dataclass(frozen=True)
class Ruling:
    """How many that have come to their end this run may purge, by which permission, or why none."""

    allowed: int = 0
    permit: SweepStop | None = None
    stopped_by: str = ""
    clock_at: datetime | None = None


class AlreadyAnswered(Exception):
    """Somebody has answered this question before, or it is no longer needed."""


# --- Decisions, pure --------------------------------------------------------------


def too_many(due: int, live: int, *, percent: float, count: int) -> bool:
    """Whether this is far more than usual: over so many per cent of all live ones, and over so many."""
    return due > count and due * 100 > live * percent


def clock_doubt(now: datetime, machine: datetime, database: datetime, last: datetime | None, gap: timedelta) -> str:
    """What is odd about the clock, in words; empty if nothing is.

    `now` is Parley's own clock, `machine` and `database` what these two say, `last` the moment of the last run.
    """
    if abs(machine - database) > APART:
        return f"this machine says {machine:%Y-%m-%d %H:%M}, the database {database:%Y-%m-%d %H:%M}"
    if last and now < last - APART:
        return f"it is {now:%Y-%m-%d %H:%M}, and the last sweep was later, on {last:%Y-%m-%d %H:%M}"
    if last and now - last > gap:
        return f"it is {now:%Y-%m-%d %H:%M}, and the last sweep was long before, on {last:%Y-%m-%d %H:%M}"
    return ""


# --- The ruling of one run --------------------------------------------------------


def rule(now: datetime) -> Ruling:
    """What a run that begins now may purge of what has come to its end. Asks staff where it must."""
    due, odd = sum(rows.count() for rows in expired(now)), doubt(now)
    permit = SweepStop.objects.permitting(now).first()
    if permit and (not odd or permit.cause == StoppedBy.CLOCK):
        return Ruling(permit.left, permit, clock_at=now)
    cause = StoppedBy.CLOCK if odd else StoppedBy.MANY
    if due and (odd or many(due)):
        if not SweepStop.objects.refusing(now).filter(cause=cause).exists():
            _ask(now, cause, odd, due)
        return Ruling(stopped_by=cause, clock_at=None if odd else now)
    if not odd:
        SweepStop.objects.open().update(answer=SweepStop.Answer.MOOT, answered_at=now)
    return Ruling(due, clock_at=None if odd else now)


def take(permit: SweepStop, wanted: int) -> int:
    """How many of `wanted` a permission still lets pass. It stays locked until the caller's commit."""
    return min(wanted, SweepStop.objects.select_for_update().get(pk=permit.pk).left)


def use(permit: SweepStop, purged: int | None = None) -> None:
    """Count what was purged by a permission; without a number, it is used up."""
    left: Any = models.F("left") - purged if purged is not None else 0
    SweepStop.objects.filter(pk=permit.pk).update(left=left)


def expired(at: datetime) -> list[models.QuerySet[Any]]:
    """What is due because it has come to its end, of each holding."""
    return [rows.filter(deleted_at__isnull=True) for rows in _due(at)]


def deleted(at: datetime) -> list[models.QuerySet[Any]]:
    """What is due because people deleted it."""
    return [rows.filter(deleted_at__isnull=False) for rows in _due(at)]


def _due(at: datetime) -> list[models.QuerySet[Any]]:
    managers: list[Any] = [model._default_manager for _, model in tagged_holdings()]
    return [manager.due(at) for manager in managers]


def live(at_most: int | None = None) -> int:
    """How many there are that nobody deleted; counted no further than `at_most` in each holding, if that is given."""
    rows = [model._default_manager.filter(deleted_at__isnull=True) for _, model in tagged_holdings()]
    return sum(each[:at_most].count() for each in rows)


def many(due: int) -> bool:
    """Whether so many are far more than usual, by the limits of the settings.

    Live ones are counted only when it matters, and only as far: to count all of very many takes minutes.
    """
    percent, count = settings.SWEEP_LIMIT_PERCENT, settings.SWEEP_LIMIT_COUNT
    enough = int(due * 100 / percent) + 1 if percent > 0 else 1
    return due > count and too_many(due, live(at_most=enough), percent=percent, count=count)


def doubt(now: datetime) -> str:
    """What is odd about the clock now; empty if nothing is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        database = cursor.fetchone()[0]
    last = SweepRun.objects.filter(clock_at__isnull=False).values_list("clock_at", flat=True).first()
    return clock_doubt(now, clock.machine(), database, last, timedelta(days=settings.SWEEP_LARGEST_GAP_DAYS))


# --- The question and its answer --------------------------------------------------


@transaction.atomic
def _ask(now: datetime, cause: StoppedBy, odd: str, due: int) -> None:
    """Put the question, unless it is open already. A question about the clock takes the place of one about numbers."""
    SweepStop.objects.open().exclude(cause=cause).update(answer=SweepStop.Answer.MOOT, answered_at=now)
    days, largest = history(now)
    stop = SweepStop(
        cause=cause, doubt=odd, asked_at=now, due=due, live=live(), groups=groups(now), history=days, largest=largest
    )
    if SweepStop.objects.open().exists() or not SweepStop.objects.bulk_create([stop], ignore_conflicts=True):
        return
    logger.error("the sweep stopped and asks staff: %s are due (%s)", due, odd or cause.label)
    detail = {"cause": cause.value, "due": due, "live": stop.live}
    ledger.record(Act.SWEEP_STOPPED, source=Source.SWEEP, detail=detail)


@transaction.atomic
def answer(stop: SweepStop, said: "SweepStop.Answer", reason: str, *, by: "User") -> SweepStop:
    """Staff's answer to a stopped sweep, for a reason. Raises AlreadyAnswered."""
    held = SweepStop.objects.select_for_update().get(pk=stop.pk)
    if held.answer:
        raise AlreadyAnswered
    held.answer, held.reason, held.answered_at = said, reason.strip(), clock.now()
    held.left = held.due if said == SweepStop.Answer.GO_ON else 0
    held.save(update_fields=["answer", "reason", "answered_at", "left"])
    detail = {"answer": said.value, "reason": held.reason, "due": held.due, "asked_at": moment(held.asked_at)}
    ledger.record(Act.SWEEP_ANSWERED, source=Source.ADMIN, actor=by, detail=detail, at=held.answered_at)
    return held


def groups(at: datetime) -> list[dict[str, Any]]:
    """What has come to its end by class and reason: how many, the oldest end, the keys of a few."""
    found: list[dict[str, Any]] = []
    for rows in expired(at):
        counted = rows.values("tag_class", "tag_reason").annotate(
            count=models.Count("pk"), oldest=models.Min("purge_after")
        )
        for group in counted.order_by("-count"):
            alike = rows.filter(tag_class=group["tag_class"], tag_reason=group["tag_reason"]).order_by("purge_after")
            keys = [str(key) for key in alike.values_list("public_id", flat=True)[:EXAMPLES]]
            found.append({**group, "oldest": moment(group["oldest"]), "keys": keys})
    return found


def history(now: datetime) -> tuple[list[list[Any]], int]:
    """What came to its end and was purged on each of the days before, and the most that one run purged."""
    runs = SweepRun.objects.filter(started_at__gt=now - LOOKS_BACK, purged__gt=0)
    expired_by_run = runs.values_list(TruncDate("started_at"), models.F("purged") - models.F("deleted"))
    days, largest = Counter[str](), 0
    for day, number in expired_by_run:
        days[str(day)] += number
        largest = max(largest, number)
    return [[day, number] for day, number in sorted(days.items())], largest
