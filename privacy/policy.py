"""The policy: facts in, verdict with a reason out. Pure; `now` is an argument and nothing here imports Django.

Three questions are answered here and nowhere else: may this person begin a turn (`gate`), how long is a
conversation kept and may it train (`rule`, `verdict`), and does it train at this moment (`trains`).

Conversations of one person differ in a handful of flags only, so `rule` judges flags: the same answer serves one
conversation (`verdict`) and a set-based UPDATE of thousands (`privacy/tagging.py`), which is why they cannot differ.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from privacy.vocabulary import Reason, RetentionClass, Training

TRAINS = (Reason.ALLOWED, Reason.AGREED)
# Where the general answer alone decides, and a part may train by a permission of its own.
APART = (Reason.ALLOWED, Reason.UNDECIDED, Reason.DENIED, Reason.BEGUN_BEFORE)
NOTICE = timedelta(days=30)  # an end never jumps nearer than this, except by the person's own act


@dataclass(frozen=True)
class Duration:
    """A stretch of calendar years and exact days and hours."""

    years: int = 0
    days: int = 0
    hours: int = 0

    def after(self, moment: datetime) -> datetime:
        """`moment` moved on by calendar years (29 February becomes the 28th), then by days and hours."""
        year = moment.year + self.years
        day = min(moment.day, monthrange(year, moment.month)[1])
        return moment.replace(year=year, day=day) + timedelta(days=self.days, hours=self.hours)


@dataclass(frozen=True)
class Agreement:
    """What a Work workspace has agreed on. Without any: its conversations stay, and never train."""

    lifetime: Duration | None = None  # None: never hidden
    training: bool = False  # an owner has said yes
    epoch: int = 0  # counted up whenever that yes is given or taken back; never a clock


@dataclass(frozen=True)
class Schedule:
    """How long each class lasts. Durations are data on the terms version, or on a Work workspace's agreement."""

    training: Duration = Duration(years=5)
    standard: Duration = Duration(days=30)
    temporary: Duration = Duration(hours=24)
    deleted: Duration = Duration(hours=24)
    flagged: Duration = Duration(years=2)
    agreement: Agreement = Agreement()


@dataclass(frozen=True)
class Standing:
    """What the ledger says of one person now."""

    training: Training | None = None
    keep_history: bool = False
    epoch: int = 0
    adult_since: date | None = None  # None: age unknown
    suspended_from: datetime | None = None  # the earliest deadline of newer terms that are still unanswered


@dataclass(frozen=True)
class Flags:
    """In what conversations of one person can differ, as far as the policy cares."""

    personal: bool
    temporary: bool = False
    kept: bool = False
    in_epoch: bool = False  # begun under the permission that still stands: the person's, or at work the workspace's
    begun_as_adult: bool = False
    deleted: bool = False
    flagged: bool = False
    held: bool = False


@dataclass(frozen=True)
class Rule:
    """The verdict on every conversation with the same flags; moments follow from each one's own clock."""

    retention_class: RetentionClass
    reason: Reason
    trains: bool
    lifetime: Duration | None  # from the last activity until hidden; None: never


@dataclass(frozen=True)
class Facts:
    """One conversation, as the policy sees it."""

    flags: Flags
    last_activity: datetime
    deleted_at: datetime | None = None
    flagged_at: datetime | None = None
    grace_until: datetime | None = None  # promised when an end would have jumped nearer
    expired_at: datetime | None = None  # has come to its end, and does not come back from it


@dataclass(frozen=True)
class Verdict:
    """The tag of one conversation. For both ends `None` means never."""

    retention_class: RetentionClass
    reason: Reason
    trains_until: datetime | None  # None: does not train
    hidden_from: datetime | None
    purge_after: datetime | None


def rule(flags: Flags, standing: Standing, schedule: Schedule) -> Rule:
    """What holds for conversations with these flags."""
    reason = _training_reason(flags, standing, schedule.agreement)
    trains = reason in TRAINS
    retention_class = _retention_class(flags, standing, trains)
    lifetime = {
        RetentionClass.TEMPORARY: schedule.temporary,
        RetentionClass.AGREEMENT: schedule.agreement.lifetime,
        RetentionClass.KEPT: None,
        RetentionClass.TRAINING: schedule.training,
        RetentionClass.STANDARD: schedule.standard,
    }[retention_class]
    return Rule(retention_class, reason, trains, lifetime)


def apart(ruled: Rule) -> bool:
    """Whether a part of such a conversation may train if its person allows that part, whatever they chose in general.

    At work never: there the agreement alone counts. `TaggedQuerySet.apart` states the same of a stored tag.
    """
    return ruled.reason in APART and ruled.retention_class is not RetentionClass.AGREEMENT


def _retention_class(flags: Flags, standing: Standing, trains: bool) -> RetentionClass:
    if flags.temporary and not flags.kept:
        return RetentionClass.TEMPORARY
    if not flags.personal:
        return RetentionClass.AGREEMENT
    if flags.kept or standing.keep_history:
        return RetentionClass.KEPT
    return RetentionClass.TRAINING if trains else RetentionClass.STANDARD


def _training_reason(flags: Flags, standing: Standing, agreement: Agreement) -> Reason:
    if flags.deleted:
        return Reason.DELETED
    if flags.held:
        return Reason.HELD
    if flags.flagged:
        return Reason.FLAGGED
    if flags.temporary:
        return Reason.TEMPORARY
    if not flags.personal:
        return _agreed(flags, agreement)
    if standing.adult_since is None or not flags.begun_as_adult:
        return Reason.AGE
    if standing.training is None:
        return Reason.UNDECIDED
    if standing.training is Training.DENY:
        return Reason.DENIED
    return Reason.ALLOWED if flags.in_epoch else Reason.BEGUN_BEFORE


def _agreed(flags: Flags, agreement: Agreement) -> Reason:
    """At work nothing but the workspace's own agreement counts, and that, too, only for what was begun under it."""
    if not agreement.training:
        return Reason.AGREEMENT
    return Reason.AGREED if flags.in_epoch else Reason.BEGUN_BEFORE


def epoch(standing: Standing, agreement: Agreement, *, personal: bool) -> int:
    """The epoch of the permission that a conversation is judged by."""
    return standing.epoch if personal else agreement.epoch


def verdict(facts: Facts, standing: Standing, schedule: Schedule) -> Verdict:
    """The tag of one conversation. `tagging.retag` states the same moments in SQL; a test holds them together."""
    ruled = rule(facts.flags, standing, schedule)
    hidden_from = ruled.lifetime.after(facts.last_activity) if ruled.lifetime else None
    if hidden_from and facts.grace_until and ruled.retention_class is not RetentionClass.TEMPORARY:
        hidden_from = max(hidden_from, facts.grace_until)
    purge_after = hidden_from
    if facts.expired_at:
        hidden_from = purge_after = facts.expired_at
        if facts.grace_until and ruled.retention_class is not RetentionClass.TEMPORARY:
            purge_after = max(purge_after, facts.grace_until)  # promised when a hold was released
    if facts.deleted_at:
        hidden_from = facts.deleted_at
        purge_after = schedule.deleted.after(facts.deleted_at)
    if purge_after and facts.flagged_at:
        purge_after = max(purge_after, schedule.flagged.after(facts.flagged_at))
    return Verdict(
        retention_class=ruled.retention_class,
        reason=ruled.reason,
        trains_until=schedule.training.after(facts.last_activity) if ruled.trains else None,
        hidden_from=hidden_from,
        purge_after=None if facts.flags.held else purge_after,
    )


def grace(before: datetime | None, after: datetime | None, now: datetime) -> datetime | None:
    """Until when a conversation stays although its new end would come sooner; None where no promise is needed."""
    if after is None or after >= now + NOTICE or (before is not None and before <= after):
        return None
    return now + NOTICE if before is None else min(before, now + NOTICE)


def breaks(before: Training | None, after: Training | None) -> bool:
    """Whether an answer ends an epoch: an Allow is given or withdrawn, not said again."""
    return Training.ALLOW in (before, after) and before != after


def trains(flags: Flags, tag: Verdict, tag_epoch: int, standing: Standing, agreement: Agreement, now: datetime) -> bool:
    """Whether a tagged conversation may train at this moment: its flags, its tag and the permission that stands all
    say so.

    A tag of an older epoch is not trusted, nor one that contradicts its flags. `TaggedQuerySet.trainable` states the
    same in SQL; a test holds them together.
    """
    overlaid = flags.temporary or flags.deleted or flags.flagged or flags.held
    return (
        flags.in_epoch
        and not overlaid
        and tag_epoch == epoch(standing, agreement, personal=flags.personal)
        and tag.trains_until is not None
        and now < tag.trains_until
        and (tag.hidden_from is None or now < tag.hidden_from)
        and (_permitted(standing, now) if flags.personal else agreement.training)
    )


def _permitted(standing: Standing, now: datetime) -> bool:
    return standing.training is Training.ALLOW and not suspended(standing, now)


def suspended(standing: Standing, now: datetime) -> bool:
    """Whether an Allow under earlier terms rests, because newer ones are unanswered at their deadline."""
    return standing.suspended_from is not None and now >= standing.suspended_from


class Gate(StrEnum):
    OPEN = "open"
    ASK = "ask"  # an answer is owed, there is time until the deadline
    STOP = "stop"  # no turn begins before the answer


@dataclass(frozen=True)
class Owed:
    """What a person owes in one workspace."""

    personal: bool  # consumer terms concern personal workspaces only
    answered_current: bool
    answered_any: bool
    deadline: datetime | None = None  # the earliest of the versions left unanswered, for those who answered before


def gate(owed: Owed, now: datetime) -> Gate:
    """May this person begin a turn? Exactly at the deadline it is too late; a new person answers first."""
    if not owed.personal or owed.answered_current:
        return Gate.OPEN
    if owed.answered_any and owed.deadline and now < owed.deadline:
        return Gate.ASK
    return Gate.STOP
