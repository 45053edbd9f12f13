"""What an answer would change, counted before anybody gives it.

One query counts the chats of a person that are alike in everything an answer can change; then the policy is asked what
would hold for each kind, as the re-tag asks it. A test holds the two together: what is foretold here is what comes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, Case, Count, Min, Q, Value, When
from django.db.models.lookups import GreaterThan

from accounts import clock
from accounts.models import Workspace
from privacy import policy, tagging
from privacy.holdings import tagged_holdings
from privacy.policy import Flags, Schedule, Standing
from privacy.vocabulary import RetentionClass, Training

if TYPE_CHECKING:
    from accounts.models import User

ENDING = (RetentionClass.STANDARD, RetentionClass.TRAINING, RetentionClass.TEMPORARY)


@dataclass(frozen=True)
class Alike:
    """Chats of one person, visible to them, that are alike in everything an answer can change."""

    flags: Flags
    retention_class: RetentionClass
    trains: bool  # at this moment
    could_train: bool  # young enough to train, if everything else allows it
    count: int
    first_end: datetime | None  # None: none of them ends
    ends: Mapping[RetentionClass, datetime]  # the first end, were they given that class's lifetime now


def chats_of(user: "User", standing: Standing, schedule: Schedule) -> list[Alike]:
    """Every visible chat of `user`, counted by kind; `schedule` is that of an answer to come. One query a holding."""
    now = clock.now()
    found: list[Alike] = []
    for _, model in tagged_holdings():
        rows: Any = model._default_manager.filter(author=user, workspace__in=Workspace.objects.open_to(user).order_by())
        found += [_alike(values) for values in _counted(rows, standing, schedule, now)]
    return found


def _counted(rows: Any, standing: Standing, schedule: Schedule, now: datetime) -> Iterable[dict[str, Any]]:
    kinds: dict[str, Any] = {
        **tagging.flags(standing, standing.epoch),
        "at_home": _whether(Q(workspace__kind=Workspace.Kind.PERSONAL)),
        "trains": _whether(Q(pk__in=rows.trainable(now).values("pk"))),
        "could_train": _whether(Q(GreaterThan(tagging.end_of("last_activity_at", schedule.training), now))),
    }
    ends = {
        RetentionClass.STANDARD: tagging.end_under(schedule.standard, now),
        RetentionClass.TRAINING: tagging.end_under(schedule.training, now),
        RetentionClass.TEMPORARY: tagging.end_of("last_activity_at", schedule.temporary),
    }
    return (  # type: ignore[no-any-return]
        rows.visible(now)
        .annotate(**kinds)
        .values("tag_class", *kinds)
        .annotate(count=Count("pk"), first_end=Min("hidden_from"))
        .annotate(**{f"as_{name.value}": Min(end) for name, end in ends.items()})
        .order_by()
    )


def _whether(condition: Q) -> Case:
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())


def _alike(values: dict[str, Any]) -> Alike:
    said = {name: value for name, value in values.items() if name.startswith("is_")}
    return Alike(
        flags=tagging.flags_of(said, personal=values["at_home"]),
        retention_class=RetentionClass(values["tag_class"]),
        trains=values["trains"],
        could_train=values["could_train"],
        count=values["count"],
        first_end=values["first_end"],
        ends={name: values[f"as_{name.value}"] for name in ENDING},
    )


# --- What would follow; pure ----------------------------------------------------


class Use(StrEnum):
    """What an answer does to the training of chats that are there."""

    STOPS = "stops"
    GOES_ON = "goes_on"
    RESUMES = "resumes"
    NONE = "none"  # they do not train, and would not


class End(StrEnum):
    """What an answer does to the end of chats that are there."""

    STAYS = "stays"
    MOVES = "moves"  # they are kept for the same reason, but other terms count the time
    COMES = "comes"  # they get an end, or a nearer one
    GOES = "goes"  # they have one, and would have none


@dataclass(frozen=True)
class Outcome:
    """What would become of so many chats; `until` is the first end among them, None if they have none."""

    use: Use
    end: End
    count: int
    until: datetime | None


def after(standing: Standing, training: Training | None, *, keep_history: bool) -> Standing:
    """The standing that this answer would leave."""
    epoch = standing.epoch + policy.breaks(standing.training, training)
    return replace(standing, training=training, keep_history=keep_history, epoch=epoch, suspended_from=None)


def outcomes(
    chats: Sequence[Alike], standing: Standing, then: Standing, *, today: Schedule, schedule: Schedule
) -> list[Outcome]:
    """What would become of the personal chats if the standing became `then`, and `schedule` replaced that of today."""
    merged: dict[tuple[Use, End], Outcome] = {}
    for one in _each(chats, standing, then, today, schedule):
        known = merged.get((one.use, one.end))
        if known:
            ends = [end for end in (known.until, one.until) if end]
            one = replace(one, count=known.count + one.count, until=min(ends, default=None))
        merged[one.use, one.end] = one
    return list(merged.values())


def _each(
    chats: Sequence[Alike], standing: Standing, then: Standing, today: Schedule, schedule: Schedule
) -> Iterator[Outcome]:
    for kind in chats:
        if not kind.flags.personal:
            continue
        flags = replace(kind.flags, in_epoch=kind.flags.in_epoch and then.epoch == standing.epoch)
        ruled = policy.rule(flags, then, schedule)
        before = policy.rule(kind.flags, standing, today)
        end, until = _end(kind, ruled, before)
        yield Outcome(_use(kind, before, ruled), end, kind.count, until)


def _use(kind: Alike, before: policy.Rule, after: policy.Rule) -> Use:
    if after.trains and kind.could_train:
        return Use.GOES_ON if kind.trains else Use.RESUMES
    # A permission that rests, because newer terms wait, ends as well.
    return Use.STOPS if kind.trains or (before.trains and kind.could_train) else Use.NONE


def _end(kind: Alike, ruled: policy.Rule, before: policy.Rule) -> tuple[End, datetime | None]:
    if ruled.lifetime is None:
        return (End.STAYS if kind.first_end is None else End.GOES), None
    if ruled.retention_class is not kind.retention_class:
        return End.COMES, kind.ends[ruled.retention_class]
    if ruled.lifetime != before.lifetime:
        return End.MOVES, kind.ends[ruled.retention_class]
    return End.STAYS, kind.first_end
