"""The policy as a table: who, what, and what holds. No database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from privacy import policy
from privacy.policy import Agreement, Duration, Facts, Flags, Gate, Owed, Schedule, Standing
from privacy.vocabulary import Reason, RetentionClass, Training

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GROWN = date(2000, 1, 1)

ALLOWED = Standing(Training.ALLOW, epoch=1, adult_since=GROWN)
DENIED = Standing(Training.DENY, epoch=2, adult_since=GROWN)
SILENT = Standing(adult_since=GROWN)
AGELESS = Standing(Training.ALLOW, epoch=1, adult_since=None)
KEEPER = Standing(Training.ALLOW, keep_history=True, epoch=1, adult_since=GROWN)

HIS = Flags(personal=True, in_epoch=True, begun_as_adult=True)
OLD = Flags(personal=True, in_epoch=False, begun_as_adult=True)
YOUNG = Flags(personal=True, in_epoch=True, begun_as_adult=False)
WORK = Flags(personal=False, in_epoch=True, begun_as_adult=True)
TEMPORARY = Flags(personal=True, temporary=True, in_epoch=True, begun_as_adult=True)
KEPT_TEMPORARY = Flags(personal=True, temporary=True, kept=True, in_epoch=True, begun_as_adult=True)
KEPT = Flags(personal=True, kept=True, in_epoch=True, begun_as_adult=True)
DELETED = Flags(personal=True, in_epoch=True, begun_as_adult=True, deleted=True)
FLAGGED = Flags(personal=True, in_epoch=True, begun_as_adult=True, flagged=True)
HELD = Flags(personal=True, in_epoch=True, begun_as_adult=True, held=True)

NOTHING = Agreement()
YEARS, DAYS, HOURS = Duration(years=5), Duration(days=30), Duration(hours=24)

TABLE = [
    # conversation, person, class, lasts, trains, because
    (HIS, ALLOWED, RetentionClass.TRAINING, YEARS, True, Reason.ALLOWED),
    (OLD, ALLOWED, RetentionClass.STANDARD, DAYS, False, Reason.BEGUN_BEFORE),
    (YOUNG, ALLOWED, RetentionClass.STANDARD, DAYS, False, Reason.AGE),
    (HIS, DENIED, RetentionClass.STANDARD, DAYS, False, Reason.DENIED),
    (HIS, SILENT, RetentionClass.STANDARD, DAYS, False, Reason.UNDECIDED),
    (HIS, AGELESS, RetentionClass.STANDARD, DAYS, False, Reason.AGE),
    (HIS, KEEPER, RetentionClass.KEPT, None, True, Reason.ALLOWED),
    (OLD, KEEPER, RetentionClass.KEPT, None, False, Reason.BEGUN_BEFORE),
    (KEPT, DENIED, RetentionClass.KEPT, None, False, Reason.DENIED),
    (WORK, ALLOWED, RetentionClass.AGREEMENT, None, False, Reason.AGREEMENT),
    (TEMPORARY, ALLOWED, RetentionClass.TEMPORARY, HOURS, False, Reason.TEMPORARY),
    (TEMPORARY, KEEPER, RetentionClass.TEMPORARY, HOURS, False, Reason.TEMPORARY),
    (KEPT_TEMPORARY, ALLOWED, RetentionClass.KEPT, None, False, Reason.TEMPORARY),
    (DELETED, ALLOWED, RetentionClass.STANDARD, DAYS, False, Reason.DELETED),
    (FLAGGED, ALLOWED, RetentionClass.STANDARD, DAYS, False, Reason.FLAGGED),
    (HELD, ALLOWED, RetentionClass.STANDARD, DAYS, False, Reason.HELD),
]


@pytest.mark.parametrize(("flags", "standing", "retention_class", "lasts", "trains", "reason"), TABLE)
def test_what_holds(flags, standing, retention_class, lasts, trains, reason):
    ruled = policy.rule(flags, standing, Schedule())
    assert (ruled.retention_class, ruled.lifetime, ruled.trains, ruled.reason) == (
        retention_class,
        lasts,
        trains,
        reason,
    )


def test_only_a_standing_allow_of_an_adult_in_the_same_epoch_trains():
    """Every combination of flags: there is no second way into training."""
    for bits in range(256):
        flags = Flags(*(bool(bits >> place & 1) for place in range(8)))
        for standing in (ALLOWED, DENIED, SILENT, AGELESS, KEEPER):
            trains = policy.rule(flags, standing, Schedule()).trains
            plain = flags.personal and flags.in_epoch and flags.begun_as_adult
            overlaid = flags.temporary or flags.deleted or flags.flagged or flags.held
            assert trains == (plain and not overlaid and standing in (ALLOWED, KEEPER))


def test_deleted_is_hidden_at_once_and_purged_within_the_promise():
    tag = policy.verdict(Facts(DELETED, NOW, deleted_at=NOW), ALLOWED, Schedule())
    assert (tag.hidden_from, tag.purge_after, tag.trains_until) == (NOW, NOW + timedelta(hours=24), None)


def test_deletion_reaches_what_would_be_kept_for_ever():
    flags = Flags(personal=True, kept=True, deleted=True)
    tag = policy.verdict(Facts(flags, NOW, deleted_at=NOW), KEEPER, Schedule())
    assert tag.purge_after == NOW + timedelta(hours=24)


def test_a_flag_pushes_the_purge_out_but_not_the_end_people_see():
    flags = Flags(personal=True, deleted=True, flagged=True)
    tag = policy.verdict(Facts(flags, NOW, deleted_at=NOW, flagged_at=NOW), DENIED, Schedule())
    assert (tag.hidden_from, tag.purge_after) == (NOW, NOW.replace(year=2028))


def test_a_flag_does_not_end_what_never_ends():
    tag = policy.verdict(Facts(Flags(personal=True, kept=True, flagged=True), NOW, flagged_at=NOW), DENIED, Schedule())
    assert (tag.hidden_from, tag.purge_after) == (None, None)


def test_a_hold_keeps_even_what_was_deleted():
    flags = Flags(personal=True, deleted=True, held=True)
    assert policy.verdict(Facts(flags, NOW, deleted_at=NOW), DENIED, Schedule()).purge_after is None


def test_years_are_calendar_years_and_a_leap_day_ends_on_the_28th():
    leap = datetime(2028, 2, 29, 23, 59, tzinfo=UTC)
    assert Duration(years=5).after(leap) == datetime(2033, 2, 28, 23, 59, tzinfo=UTC)
    assert Duration(years=4).after(leap) == datetime(2032, 2, 29, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after", "promised"),
    [
        (None, NOW + timedelta(days=3), NOW + timedelta(days=30)),  # was for ever, would end in 3 days
        (NOW + timedelta(days=900), NOW - timedelta(days=1), NOW + timedelta(days=30)),
        (NOW + timedelta(days=10), NOW + timedelta(days=2), NOW + timedelta(days=10)),  # never later than it was
        (NOW + timedelta(days=900), NOW + timedelta(days=30), None),  # far enough
        (NOW + timedelta(days=2), NOW + timedelta(days=10), None),  # longer
        (NOW + timedelta(days=2), None, None),
    ],
)
def test_an_end_never_jumps_nearer_than_thirty_days(before, after, promised):
    assert policy.grace(before, after, NOW) == promised


DEADLINE = NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("owed", "at", "gate"),
    [
        (Owed(personal=False, answered_current=False, answered_any=False), NOW, Gate.OPEN),
        (Owed(personal=True, answered_current=True, answered_any=True, deadline=DEADLINE), DEADLINE, Gate.OPEN),
        (Owed(personal=True, answered_current=False, answered_any=False), NOW, Gate.STOP),
        (Owed(personal=True, answered_current=False, answered_any=False, deadline=DEADLINE), NOW, Gate.STOP),
        (Owed(personal=True, answered_current=False, answered_any=True, deadline=DEADLINE), NOW, Gate.ASK),
        (
            Owed(personal=True, answered_current=False, answered_any=True, deadline=DEADLINE),
            DEADLINE - timedelta(microseconds=1),
            Gate.ASK,
        ),
        (Owed(personal=True, answered_current=False, answered_any=True, deadline=DEADLINE), DEADLINE, Gate.STOP),
        (Owed(personal=True, answered_current=False, answered_any=True), NOW, Gate.STOP),
    ],
)
def test_the_gate(owed, at, gate):
    assert policy.gate(owed, at) is gate


TAG = policy.Verdict(
    RetentionClass.TRAINING, Reason.ALLOWED, trains_until=NOW.replace(year=2031), hidden_from=None, purge_after=None
)


def test_a_tag_of_an_older_epoch_trains_nothing():
    assert policy.trains(HIS, TAG, 1, ALLOWED, NOTHING, NOW)
    assert not policy.trains(HIS, TAG, 0, ALLOWED, NOTHING, NOW)


@pytest.mark.parametrize(
    "flags",
    [OLD, WORK, TEMPORARY, DELETED, FLAGGED, HELD],
    ids=["old", "work", "temporary", "deleted", "flagged", "held"],
)
def test_a_tag_that_contradicts_its_flags_trains_nothing(flags):
    assert not policy.trains(flags, TAG, 1, ALLOWED, NOTHING, NOW)


def test_a_tag_trains_nothing_without_a_standing_allow():
    assert not policy.trains(HIS, TAG, 1, replace(DENIED, epoch=1), NOTHING, NOW)
    assert not policy.trains(HIS, TAG, 1, replace(SILENT, epoch=1), NOTHING, NOW)


def test_an_allow_rests_from_the_deadline_of_unanswered_terms_on():
    waiting = Standing(Training.ALLOW, epoch=1, adult_since=GROWN, suspended_from=DEADLINE)
    assert policy.trains(HIS, TAG, 1, waiting, NOTHING, DEADLINE - timedelta(seconds=1))
    assert not policy.trains(HIS, TAG, 1, waiting, NOTHING, DEADLINE)


def test_five_years_after_the_last_word_training_ends():
    assert not policy.trains(HIS, TAG, 1, ALLOWED, NOTHING, NOW.replace(year=2031))


def test_what_is_hidden_does_not_train():
    hidden = replace(TAG, hidden_from=DEADLINE)
    assert policy.trains(HIS, hidden, 1, ALLOWED, NOTHING, DEADLINE - timedelta(seconds=1))
    assert not policy.trains(HIS, hidden, 1, ALLOWED, NOTHING, DEADLINE)


ENDED = NOW - timedelta(days=1)


@pytest.mark.parametrize("standing", [ALLOWED, DENIED, KEEPER])
def test_what_has_expired_stays_where_it_ended(standing):
    tag = policy.verdict(Facts(HIS, NOW, grace_until=NOW + timedelta(days=9), expired_at=ENDED), standing, Schedule())
    ruled = policy.rule(HIS, standing, Schedule())
    assert (tag.retention_class, tag.reason) == (ruled.retention_class, ruled.reason)
    assert (tag.hidden_from, tag.purge_after) == (ENDED, NOW + timedelta(days=9))  # promised when a hold was released
    before = policy.verdict(Facts(HIS, NOW, grace_until=ENDED, expired_at=ENDED), standing, Schedule())
    assert (before.hidden_from, before.purge_after) == (ENDED, ENDED)


def test_a_flag_and_a_hold_keep_what_has_expired():
    flagged = policy.verdict(Facts(FLAGGED, NOW, flagged_at=NOW, expired_at=ENDED), KEEPER, Schedule())
    assert (flagged.hidden_from, flagged.purge_after) == (ENDED, NOW.replace(year=2028))
    held = policy.verdict(Facts(HELD, NOW, expired_at=ENDED), KEEPER, Schedule())
    assert (held.hidden_from, held.purge_after) == (ENDED, None)
