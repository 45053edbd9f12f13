"""Tags are true: the set-based re-tag says what the policy says, row by row, for every combination of facts."""

from datetime import timedelta
from itertools import product

import pytest

from accounts import clock
from chat.models import Conversation
from privacy import policy, standings, tagging
from privacy.models import Standing
from privacy.policy import Schedule
from privacy.vocabulary import Training
from tests.people import alice, bob
from tests.scenes import decided

MOMENTS = [timedelta(days=-400), timedelta(days=-20), timedelta(0)]


def every_kind(user) -> None:
    """One conversation for each combination of facts."""
    now = clock.now()
    rows = []
    for temporary, kept, deleted, flagged, held in product((False, True), repeat=5):
        for epoch, activity, grace in product((None, 0, 1, 2), MOMENTS, (None, timedelta(days=7))):
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
                    tag_class="standard",
                    tag_reason="denied",
                )
            )
    Conversation.objects.bulk_create(rows)


STANDINGS = [
    (training, keep, adult)
    for training in (None, Training.ALLOW, Training.DENY)
    for keep in (False, True)
    for adult in (True, False)
]


@pytest.mark.django_db
@pytest.mark.parametrize(("training", "keep", "adult"), STANDINGS)
def test_the_update_and_the_policy_agree(training, keep, adult):
    user = alice()
    every_kind(user)
    standing = policy.Standing(
        training, keep, epoch=1, adult_since=(clock.now() - timedelta(days=100)).date() if adult else None
    )
    tagging.retag(Conversation.objects.filter(author=user), standing, Schedule())
    rows = list(Conversation.objects.select_related("workspace"))
    wrong = [row.pk for row in rows if row.tag != policy.verdict(row.facts(standing), standing, Schedule())]
    assert rows and wrong == []
    assert {row.tag_epoch for row in rows} == {1}


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
        trains_until=now + timedelta(days=9),
        purge_after=now - timedelta(days=9),
    )
    assert stale in Conversation.objects.trainable(now) and stale in Conversation.objects.due(now)
    Standing.objects.filter(user=alice()).update(epoch=2)
    assert stale not in Conversation.objects.trainable(now) and stale not in Conversation.objects.due(now)
    assert standings.standing_of(alice()).epoch == 2
