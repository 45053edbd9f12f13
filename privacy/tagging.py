"""Keeping tags true: in the transaction that changes a fact, for one row or set-based for all of a person's.

Callers hold the person's standing row, or at work the row of what is agreed on (FOR SHARE in a turn, FOR UPDATE in a
choice or a signature), so no tag is written under a permission that is being withdrawn at the same moment.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import (
    Case,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    Func,
    Max,
    Q,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest, Least
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, IsNull, LessThan

from accounts import clock
from accounts.models import Workspace
from privacy import policy
from privacy.models import Hold, Retagging, Tagged, TaggedQuerySet
from privacy.policy import Duration, Flags, Rule, Schedule
from privacy.vocabulary import RetentionClass, Training

NEVER = Value(None, output_field=DateTimeField())


def tag(row: Tagged, standing: policy.Standing, schedule: Schedule) -> list[str]:
    """Set the tag of one row from its facts; returns the names of the columns that were set."""
    epoch = policy.epoch(standing, schedule.agreement, personal=row.workspace.is_personal)
    return row.put_tag(policy.verdict(row.facts(standing), standing, schedule), epoch)


def delete(row: Tagged, standing: policy.Standing, schedule: Schedule) -> list[str]:
    """Delete one row as of now; returns the names of the columns that were set.

    The end it had is remembered as a promise, as far as one is needed: the standing may change before a `restore`.
    """
    if row.deleted_at is None:
        row.deleted_at = now = clock.now()
        row.grace_until = policy.grace(row.hidden_from, now, now)
    return ["deleted_at", "grace_until", *tag(row, standing, schedule)]


def restore(row: Tagged, standing: policy.Standing, schedule: Schedule) -> list[str]:
    """Take a deletion back; returns the names of the columns that were set.

    Whatever was decided meanwhile, the end does not jump nearer than the promised notice, unless it was nearer before.
    """
    if row.deleted_at is not None:
        # A promise of the whole notice stands for any end beyond it: the notice is counted anew from here.
        far = row.grace_until == row.deleted_at + policy.NOTICE
        before = None if far else row.grace_until
        row.deleted_at = row.grace_until = row.hidden_from = None
        end = policy.verdict(row.facts(standing), standing, schedule).hidden_from
        row.grace_until = policy.grace(before, end, clock.now())
    return ["deleted_at", "grace_until", *tag(row, standing, schedule)]


def begin(row: Tagged, standing: policy.Standing, agreement: policy.Agreement) -> None:
    """Note, when a conversation begins, the permission it is begun under (if it is begun under one, by an adult), and
    whether a hold covers it. No re-tag that is under way concerns it.
    """
    row.held = Hold.objects.over(row).exists()
    row.tag_step = Retagging.objects.open().filter(workspace=row.workspace_id).aggregate(last=Max("pk"))["last"] or 0
    if row.workspace.is_personal:
        allowed = standing.training is Training.ALLOW and not policy.suspended(standing, clock.now())
    else:
        allowed = agreement.training
    adult = standing.adult_since is not None and row.begun_at.date() >= standing.adult_since
    epoch = policy.epoch(standing, agreement, personal=row.workspace.is_personal)
    row.begun_epoch = epoch if allowed and adult else None


def retag(
    rows: TaggedQuerySet[Any], standing: policy.Standing, schedule: Schedule, *, at: datetime | None = None, **more: Any
) -> int:
    """Re-tag one person's personal rows: one policy call and one UPDATE per combination of flags that occurs.

    An end that would jump nearer than the promised notice is pushed out first. What has already expired stays hidden:
    a new answer does not bring it back, but its tag says what holds now. Returns how many rows were written.

    `at` is the moment of what was decided, where that is carried out later; `more` are columns to set besides.
    """
    return _retag(rows, standing, schedule, at, more, personal=True)


def retag_work(rows: TaggedQuerySet[Any], schedule: Schedule, *, at: datetime | None = None, **more: Any) -> int:
    """The same for the rows of one Work workspace, whoever wrote them, under its agreement."""
    return _retag(rows, policy.Standing(), schedule, at, more, personal=False)


def give_notice(rows: Any, now: datetime) -> None:
    """What is lifted is no act of the owner's: no end comes nearer than thirty days, but what they deleted goes."""
    soon = now + policy.NOTICE
    nearer = rows.filter(deleted_at__isnull=True, hidden_from__lt=soon)
    nearer.update(grace_until=Greatest("grace_until", soon))  # GREATEST passes over NULL


def retag_in(
    place: Workspace, rows: TaggedQuerySet[Any], standing: policy.Standing, schedule: Schedule, **more: Any
) -> int:
    """The one or the other, by whose rule counts in `place`, which all the rows are of."""
    if place.is_personal:
        return retag(rows, standing, schedule, **more)
    return retag_work(rows, schedule, **more)


def _retag(
    rows: TaggedQuerySet[Any],
    standing: policy.Standing,
    schedule: Schedule,
    at: datetime | None,
    more: dict[str, Any],
    *,
    personal: bool,
) -> int:
    now, written = at or clock.now(), 0
    epoch = policy.epoch(standing, schedule.agreement, personal=personal)
    # Not by a join: an UPDATE would join the table with itself, for minutes where statistics are young.
    kind = Workspace.Kind.PERSONAL if personal else Workspace.Kind.WORK
    readings = flags(standing, epoch)
    flagged = rows.filter(workspace__in=Workspace.objects.filter(kind=kind).values("pk")).annotate(**readings)
    for values in list(flagged.values(*readings).distinct()):
        alike, ruled = flagged.filter(**values), policy.rule(flags_of(values, personal=personal), standing, schedule)
        written += alike.update(**columns(ruled, epoch, schedule, now), **more)
    return written


def flags(standing: policy.Standing, epoch: Any) -> dict[str, Any]:
    """The flags of each row as SQL, under names of columns: the same reading as `Tagged.facts`."""
    grown: Any = Value(False)
    if standing.adult_since:  # by the day in UTC, as the facts are read: `__date` would follow the person's time zone
        grown = GreaterThanOrEqual(F("begun_at"), _midnight(standing.adult_since))
    return {
        "is_temporary": F("temporary"),
        "is_kept": F("kept"),
        "is_in_epoch": Coalesce(Exact(F("begun_epoch"), epoch), False),
        "is_begun_as_adult": grown,
        "is_deleted": IsNull(F("deleted_at"), False),
        "is_flagged": IsNull(F("flagged_at"), False),
        "is_held": F("held"),
    }


def flags_of(values: Mapping[str, bool], *, personal: bool) -> Flags:
    """The flags as the policy wants them, from the columns that `flags` made."""
    return Flags(personal=personal, **{name.removeprefix("is_"): value for name, value in values.items()})


def end_under(lifetime: Duration, now: datetime) -> Any:
    """When rows would end that got this lifetime now: never nearer than the promised notice."""
    end = end_of("last_activity_at", lifetime)
    return Greatest(end, _grace(end, now))  # GREATEST passes over NULL


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def columns(ruled: Rule, epoch: Any, schedule: Schedule, now: datetime, *, promises: bool = True) -> dict[str, Any]:
    """The tag's columns for rows that share a rule; each row's moments follow from its own clock.

    Without `promises` no new one is made: that is what a row says whose tag is true already.
    """
    found: dict[str, Any] = {
        "tag_class": ruled.retention_class,
        "tag_reason": ruled.reason,
        "tag_epoch": epoch,
        "trains_until": end_of("last_activity_at", schedule.training) if ruled.trains else None,
    }
    end: Any = end_of("last_activity_at", ruled.lifetime) if ruled.lifetime else NEVER
    if ruled.lifetime and ruled.retention_class is not RetentionClass.TEMPORARY:
        promise = _grace(end, now) if promises else F("grace_until")
        end = Greatest(end, promise)  # GREATEST passes over NULL
        if promises:
            found["grace_until"] = promise
    deleted, flagged = Q(deleted_at__isnull=False), Q(flagged_at__isnull=False)
    expired = Q(deleted_at__isnull=True, hidden_from__lte=now)
    temporary = ruled.retention_class is RetentionClass.TEMPORARY
    ended = F("hidden_from") if temporary else Greatest("hidden_from", "grace_until")
    end, hidden = Case(When(expired, then=ended), default=end), Case(When(expired, then=F("hidden_from")), default=end)
    found["hidden_from"] = Case(When(deleted, then=F("deleted_at")), default=hidden)
    gone = Case(When(deleted, then=end_of("deleted_at", schedule.deleted)), default=end)
    # A flag pushes a purge out; it does not create one. GREATEST would turn "never" into the flag's end.
    endless = Q(pk__isnull=True) if ruled.lifetime else ~deleted & ~expired
    reviewed = Case(
        When(endless, then=NEVER),
        When(flagged, then=Greatest(gone, end_of("flagged_at", schedule.flagged))),
        default=gone,
    )
    found["purge_after"] = Case(When(held=True, then=NEVER), default=reviewed)
    return found


def end_of(column: str, duration: Duration) -> Any:
    """`Duration.after` in SQL: calendar years first, the last day of February for a leap day, then days and hours."""
    interval = Func(
        Value(duration.years),
        Value(0),
        Value(0),
        Value(duration.days),
        Value(duration.hours),
        # Arguments by position: years, months, weeks, days, hours.
        template="make_interval(%(expressions)s)",
        output_field=DurationField(),
    )
    return ExpressionWrapper(F(column) + interval, output_field=DateTimeField())


def _grace(end: Any, now: datetime) -> Any:
    """`policy.grace` in SQL: the promise that stands, or a new one where this end would come too soon."""
    notice = Value(now + policy.NOTICE, output_field=DateTimeField())
    visible = Q(deleted_at__isnull=True) & (Q(hidden_from__isnull=True) | Q(hidden_from__gt=now))
    nearer = visible & (Q(hidden_from__isnull=True) | Q(GreaterThan(F("hidden_from"), end)))
    return Case(When(nearer & Q(LessThan(end, notice)), then=Least(F("hidden_from"), notice)), default=F("grace_until"))
