"""Tags are true: the set-based re-tag says what the policy says, row by row, for every combination of facts."""

from datetime import datetime, timedelta
from itertools import product

import pytest

from accounts import clock
from chat.models import Conversation
from chat.turns import conversations
from privacy import policy, standings, tagging
from privacy.models import Standing
from privacy.policy import Schedule
from privacy.vocabulary import RetentionClass, Training
from tests.people import alice, bob, wendy, works
from tests.scenes import answered, asked, decided, published

MOMENTS = [timedelta(days=-400), timedelta(days=-20), timedelta(0)]
ENDS = [None, timedelta(hours=-2), timedelta(days=3), timedelta(days=900)]  # so far: never, expired, soon, late


def every_kind(user) -> None:
    """One conversation for each combination of facts."""
    now = clock.now()
    rows = []
    for temporary, kept, deleted, flagged, held in product((False, True), repeat=5):
        for epoch, activity, grace, end in product((None, 1, 2), MOMENTS, (None, timedelta(days=7)), ENDS):
            rows.append(
                Conversation(
                    workspace=user.personal_workspace,
                    author=user,
                    temporary=temporary,
                    kept=kept,
                    held=held,
                    deleted_at=now - timedelta(hours=1) if deleted else None,
                    flagged_at=now - timedelta(days=3) if flagged else None,
                    begun_epoch=epoch,
                    begun_at=now + activity - timedelta(days=1),
                    last_activity_at=now + activity,
                    grace_until=now + grace if grace else None,
                    hidden_from=now + end if end else None,
                    tag_class="training",
                    tag_reason="allowed",
                    trains_until=now + timedelta(days=5),
                )
            )
    Conversation.objects.bulk_create(rows)


STANDINGS = [
    (training, keep, adult)
    for training in (None, Training.ALLOW, Training.DENY)
    for keep in (False, True)
    for adult in (True, False)
]


def promised(row: Conversation, standing: policy.Standing, now: datetime) -> datetime | None:
    """The promise that a re-tag leaves in `row`, by the policy."""
    facts = row.facts(standing)
    ruled = policy.rule(facts.flags, standing, Schedule())
    if row.deleted_at or facts.expired_at or not ruled.lifetime or ruled.retention_class is RetentionClass.TEMPORARY:
        return facts.grace_until
    return policy.grace(row.hidden_from, ruled.lifetime.after(facts.last_activity), now) or facts.grace_until


def differ(one: datetime | None, other: datetime | None) -> bool:
    """By more than the moment that a test takes."""
    return abs(one - other) > timedelta(minutes=1) if one and other else one is not other


@pytest.mark.django_db
@pytest.mark.parametrize(("training", "keep", "adult"), STANDINGS)
def test_the_update_and_the_policy_agree(training, keep, adult):
    user = alice()
    every_kind(user)
    standing = policy.Standing(
        training, keep, epoch=1, adult_since=(clock.now() - timedelta(days=100)).date() if adult else None
    )
    before = {row.pk: row for row in Conversation.objects.select_related("workspace")}
    promises = {pk: promised(row, standing, clock.now()) for pk, row in before.items()}
    tagging.retag(Conversation.objects.filter(author=user), standing, Schedule())
    rows = list(Conversation.objects.select_related("workspace"))
    wrong = [row.pk for row in rows if row.tag != policy.verdict(row.facts(standing), standing, Schedule())]
    assert rows and wrong == []
    assert [row.pk for row in rows if differ(row.grace_until, promises[row.pk])] == []
    assert {row.tag_epoch for row in rows} == {1}
    moved = [row.pk for row in rows if before[row.pk].facts(standing).expired_at not in (None, row.hidden_from)]
    assert moved == []  # what has expired does not come back


def every_tag(user) -> None:
    """Conversations at home and at work with every combination of facts and tag, true ones and false ones."""
    now = clock.now()
    ends = [None, now - timedelta(days=1), now + timedelta(days=1), now + timedelta(days=9)]
    Conversation.objects.bulk_create(
        Conversation(
            workspace=workspace,
            author=user,
            temporary=temporary,
            held=held,
            deleted_at=now if deleted else None,
            flagged_at=now if flagged else None,
            begun_epoch=begun,
            tag_epoch=epoch,
            trains_until=trains,
            hidden_from=hidden,
            tag_class="training",
            tag_reason="allowed",
        )
        for temporary, held, deleted, flagged in product((False, True), repeat=4)
        for workspace, begun, epoch, trains, hidden in product(
            (user.personal_workspace, works()), (None, 0, 1), (0, 1), ends, ends
        )
    )


@pytest.mark.django_db
@pytest.mark.parametrize("training", [None, *Training])
@pytest.mark.parametrize("unanswered", ["nothing", "in time", "late", "without deadline"])
def test_what_may_train_is_the_same_in_sql_and_policy(training, unanswered):
    user = wendy()
    decided(user, Training.DENY)
    Standing.objects.filter(user=user).update(training=training, epoch=1)
    if unanswered != "nothing":
        waits = {"in time": timedelta(days=2), "late": timedelta(days=-2), "without deadline": None}
        published(deadline=waits[unanswered])
    every_tag(user)
    rows = list(Conversation.objects.select_related("workspace"))
    for later in (timedelta(0), timedelta(days=3)):
        at, standing = clock.now() + later, standings.standing_of(user)
        by_policy = {
            row.pk
            for row in rows
            if policy.trains(row.facts(standing).flags, row.tag, row.tag_epoch, standing, row.agreement, at)
        }
        assert {row.pk for row in Conversation.objects.trainable(at)} == by_policy
        allowed = training is Training.ALLOW and (unanswered == "nothing" or (unanswered == "in time" and not later))
        assert bool(by_policy) is allowed


@pytest.mark.django_db
def test_the_number_of_statements_does_not_grow_with_the_rows(django_assert_max_num_queries):
    user = alice()
    standing = policy.Standing(Training.ALLOW, epoch=1)
    now = clock.now()

    def some(count: int) -> None:
        Conversation.objects.bulk_create(
            Conversation(
                workspace=user.personal_workspace,
                author=user,
                last_activity_at=now,
                tag_class="standard",
                tag_reason="denied",
            )
            for _ in range(count)
        )

    some(1)
    with django_assert_max_num_queries(3):
        tagging.retag(Conversation.objects.filter(author=user), standing, Schedule())
    some(200)
    with django_assert_max_num_queries(3):
        tagging.retag(Conversation.objects.filter(author=user), standing, Schedule())


@pytest.mark.django_db
def test_a_new_promise_is_made_where_an_end_would_jump_nearer():
    user = alice()
    now = clock.now()
    kept_for_years = Conversation.objects.create(
        workspace=user.personal_workspace,
        author=user,
        begun_epoch=1,
        last_activity_at=now - timedelta(days=200),
        hidden_from=now + timedelta(days=1600),
        tag_class="training",
        tag_reason="allowed",
    )
    tagging.retag(Conversation.objects.all(), policy.Standing(Training.DENY, epoch=2), Schedule())
    kept_for_years.refresh_from_db()
    assert kept_for_years.hidden_from == kept_for_years.grace_until
    assert abs(kept_for_years.grace_until - now - policy.NOTICE) < timedelta(minutes=1)


@pytest.mark.django_db
def test_one_persons_choice_leaves_everybody_else_alone():
    decided(bob(), Training.ALLOW)
    other = Conversation.objects.create(
        workspace=bob().personal_workspace, author=bob(), tag_class="standard", tag_reason="denied", tag_epoch=77
    )
    decided(alice(), Training.ALLOW)
    other.refresh_from_db()
    assert other.tag_epoch == 77


@pytest.mark.django_db
def test_a_tag_of_an_older_epoch_is_trusted_by_neither_exporter_nor_sweep():
    decided(alice(), Training.ALLOW)
    now = clock.now()
    stale = Conversation.objects.create(
        workspace=alice().personal_workspace,
        author=alice(),
        tag_class="training",
        tag_reason="allowed",
        tag_epoch=1,
        begun_epoch=1,
        trains_until=now + timedelta(days=9),
        purge_after=now - timedelta(days=9),
    )
    assert stale in Conversation.objects.trainable(now) and stale in Conversation.objects.due(now)
    Standing.objects.filter(user=alice()).update(epoch=2)
    assert stale not in Conversation.objects.trainable(now) and stale not in Conversation.objects.due(now)
    assert standings.standing_of(alice()).epoch == 2


@pytest.mark.django_db
def test_what_was_deleted_is_due_whatever_the_epoch_of_its_tag():
    decided(alice(), Training.ALLOW)
    deleted = conversations.delete(alice(), conversation=answered(alice()).conversation.public_id)
    Standing.objects.filter(user=alice()).update(epoch=2)
    assert deleted in Conversation.objects.due(clock.now() + timedelta(days=2))
    assert deleted not in Conversation.objects.due(clock.now())


@pytest.mark.django_db
def test_what_has_expired_is_told_truly_after_a_new_answer(move_clock):
    """It does not come back, nor does its tag go on saying what no longer holds."""
    decided(alice(), Training.ALLOW)
    conversation = asked(alice()).conversation
    move_clock(days=5 * 366)
    for training, keep, expected in (
        (Training.DENY, False, ("standard", "denied", None)),
        (Training.DENY, True, ("kept", "denied", None)),
        (Training.ALLOW, True, ("kept", "begun_before", None)),
    ):
        decided(alice(), training, keep_history=keep)
        before = conversation.hidden_from, conversation.purge_after
        conversation.refresh_from_db()
        assert (conversation.tag_class, conversation.tag_reason, conversation.trains_until) == expected
        assert (conversation.hidden_from, conversation.purge_after) == before
        standing = standings.standing_of(alice())
        assert conversation.tag == policy.verdict(conversation.facts(standing), standing, Schedule())
