"""What is foretold of an answer is what comes of it: counted beforehand, then answered for real and looked at."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import product

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import User
from chat.models import Conversation
from chat.turns import conversations
from privacy import foresight, standings, tagging
from privacy.choices import choose
from privacy.foresight import End, Use
from privacy.models import Standing, Terms
from privacy.policy import Schedule
from privacy.vocabulary import RetentionClass, Source, Training
from tests.people import alice, bob, wendy, will, works
from tests.scenes import answered, asked_in, decided, published

pytestmark = pytest.mark.django_db
ALLOW, DENY = Training.ALLOW, Training.DENY
ACTIVITY = [timedelta(days=days) for days in (-400, -29, -20, 0)]
LONG_AGO = timedelta(days=-366 * 5)


def every_kind(user: User, epochs: list[int | None]) -> None:
    """Chats with every combination of facts that can come about by that epoch, tagged as a choice tags them."""
    now = clock.now()
    Conversation.objects.bulk_create(
        Conversation(
            workspace=user.personal_workspace,
            author=user,
            temporary=temporary,
            kept=kept,
            held=over == "held",
            deleted_at=now - timedelta(hours=1) if over == "deleted" else None,
            flagged_at=now - timedelta(days=3) if over == "flagged" else None,
            begun_epoch=epoch,
            begun_at=now + activity,
            last_activity_at=now + activity,
            grace_until=now + grace if grace else None,
            hidden_from=now + timedelta(days=900),
            tag_class="training",
            tag_reason="allowed",
        )
        for temporary, kept, over in product((False, True), (False, True), ("", "held", "deleted", "flagged"))
        for epoch, activity, grace in product(epochs, [*ACTIVITY, LONG_AGO], (None, timedelta(days=7)))
    )
    row = Standing.objects.whole().get(user=user)
    assert row.terms
    tagging.retag(Conversation.objects.filter(author=user), standings.as_facts(user, row), row.terms.schedule)


def beginning(user: User, training: Training, *, keep: bool) -> list[int | None]:
    """`user` has answered to and fro and now stands by this answer; returns the epochs chats may have begun in."""
    for answer in (ALLOW, DENY, ALLOW)[: 3 if training is ALLOW else 2]:
        decided(user, answer, keep_history=keep)
    return [None, 1, 3] if training is ALLOW else [None, 1]


def foretold(
    user: User, training: Training | None, *, keep: bool
) -> dict[tuple[Use, End], tuple[int, datetime | None]]:
    terms, row = standings.owed_terms(user), Standing.objects.whole().get(user=user)
    assert terms and row.terms
    standing = standings.as_facts(user, row)
    chats = foresight.chats_of(user, standing, terms.schedule)
    then = foresight.after(standing, training, keep_history=keep)
    found = foresight.outcomes(chats, standing, then, today=row.terms.schedule, schedule=terms.schedule)
    return {(one.use, one.end): (one.count, one.until) for one in found}


def visible(user: User) -> dict[int, Conversation]:
    return {row.pk: row for row in Conversation.objects.filter(author=user).visible(clock.now())}


def training_now(user: User) -> set[int]:
    return set(Conversation.objects.filter(author=user).trainable(clock.now()).values_list("pk", flat=True))


def lifetime(schedule: Schedule, name: str) -> object:
    return getattr(schedule, name, None)


def seen(user: User, training: Training, *, keep: bool) -> dict[tuple[Use, End], tuple[int, datetime | None]]:
    """The same from rows: before the answer and after it. It is taken back afterwards."""
    terms = standings.owed_terms(user)
    assert terms
    today = Standing.objects.get(user=user).terms
    before, training_before = visible(user), training_now(user)
    with transaction.atomic():
        choose(user=user, terms=terms, training=training, keep_history=keep, source=Source.PAGE)
        after, training_after = visible(user), training_now(user)
        transaction.set_rollback(True)
    assert set(after) == set(before) and today
    counts: Counter[tuple[Use, End]] = Counter()
    ends: dict[tuple[Use, End], list[datetime]] = {}
    for pk, row in after.items():
        use = {
            (True, True): Use.GOES_ON,
            (True, False): Use.STOPS,
            (False, True): Use.RESUMES,
            (False, False): Use.NONE,
        }[pk in training_before, pk in training_after]
        was, schedules = before[pk], (today.schedule, terms.schedule)
        moved = lifetime(schedules[0], row.tag_class) != lifetime(schedules[1], row.tag_class)
        if row.hidden_from is None:
            end = End.GOES if was.hidden_from else End.STAYS
        elif row.tag_class != was.tag_class:
            end = End.COMES
        else:
            end = End.MOVES if moved else End.STAYS
            assert moved or row.hidden_from == was.hidden_from
        counts[use, end] += 1
        ends.setdefault((use, end), []).extend([row.hidden_from] if row.hidden_from else [])
    return {kind: (count, min(ends[kind], default=None)) for kind, count in counts.items()}


def agree(one: tuple[int, datetime | None], other: tuple[int, datetime | None]) -> bool:
    """The same count; the same first end, but for the moment that a test takes."""
    if one[0] != other[0] or (one[1] is None) != (other[1] is None):
        return False
    return one[1] is None or other[1] is None or abs(one[1] - other[1]) < timedelta(minutes=1)


@pytest.mark.parametrize("newer", [False, True], ids=["same terms", "newer terms"])
@pytest.mark.parametrize("keep", [False, True], ids=["not kept", "kept"])
@pytest.mark.parametrize("training", [ALLOW, DENY])
def test_what_is_foretold_is_what_comes(training, keep, newer):
    user = alice()
    every_kind(user, beginning(user, training, keep=keep))
    if newer:
        published(standard_days=60, training_years=3, temporary_hours=48)
    for answer, kept in product((ALLOW, DENY), (False, True)):
        said, came = foretold(user, answer, keep=kept), seen(user, answer, keep=kept)
        assert set(said) == set(came), (answer, kept)
        assert [kind for kind in said if not agree(said[kind], came[kind])] == [], (answer, kept)
    assert came


def test_the_cases_above_are_not_empty():
    """Under Allow, withdrawing it stops some; each kind of end occurs."""
    user = alice()
    every_kind(user, beginning(user, ALLOW, keep=False))
    said = foretold(user, DENY, keep=False)
    assert said[Use.STOPS, End.COMES][0] and said[Use.NONE, End.STAYS][0]
    assert foretold(user, ALLOW, keep=True)[Use.GOES_ON, End.GOES][0]
    assert (Use.STOPS, End.STAYS) not in said or said[Use.STOPS, End.STAYS][1] is None


def test_an_end_is_never_foretold_nearer_than_thirty_days():
    user = alice()
    every_kind(user, beginning(user, ALLOW, keep=True))
    for answer in (ALLOW, DENY):
        for (_, end), (_, until) in foretold(user, answer, keep=False).items():
            if end is End.COMES:
                assert until and until > clock.now() + timedelta(days=30) - timedelta(minutes=1)


def test_a_permission_that_rests_may_be_given_again_or_ended(move_clock):
    decided(alice(), ALLOW)
    answered(alice())
    published()
    move_clock(days=31)
    assert not training_now(alice())
    assert foretold(alice(), ALLOW, keep=False)[Use.RESUMES, End.STAYS][0] == 1
    assert foretold(alice(), DENY, keep=False)[Use.STOPS, End.COMES][0] == 1


def test_work_chats_and_those_of_others_are_none_of_it():
    works()
    decided(will(), ALLOW)
    asked_in(will(), works())
    asked_in(wendy(), works())
    decided(bob(), ALLOW)
    answered(bob())
    assert foretold(will(), DENY, keep=False) == {}
    kinds = foresight.chats_of(will(), standings.standing_of(will()), Terms.objects.get().schedule)
    assert [(one.retention_class, one.count, one.trains) for one in kinds] == [(RetentionClass.AGREEMENT, 1, False)]


def test_chats_in_a_workspace_that_somebody_left_and_deleted_ones_are_not_counted():
    decided(will(), DENY)
    asked_in(will(), works())
    will().memberships.filter(workspace=works()).delete()
    conversations.delete(will(), conversation=answered(will()).conversation.public_id)
    assert foresight.chats_of(will(), standings.standing_of(will()), Terms.objects.get().schedule) == []


def test_one_query_however_many_there_are():
    person, counts = wendy(), []
    decided(person, ALLOW)
    for many in (1, 30):
        for _ in range(many):
            answered(person)
        standing, schedule = standings.standing_of(person), Schedule()
        with CaptureQueriesContext(connection) as queries:
            assert sum(one.count for one in foresight.chats_of(person, standing, schedule)) >= many
        counts.append(len(queries))
    assert counts == [1, 1]
