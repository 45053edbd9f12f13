"""What the ledger tells of a person is what their row says, and a row that differs is named and put right."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import User
from privacy import choices, ledger, rebuilding, standings
from privacy.choices import judge_age_anew
from privacy.models import Event, Standing, Terms
from privacy.replay import Answers, Said, replay
from privacy.vocabulary import Act, Source, Training
from tests.people import alice, bob, charlie
from tests.scenes import answered, decided, published

AT = datetime(2026, 1, 1, tzinfo=UTC)


def newcomer() -> User:
    person = User(email=f"{uuid4()}@parley.example", date_of_birth=date(1990, 1, 1))
    person.open()
    return person


def differing() -> list[str]:
    return [str(difference) for difference in rebuilding.differences(lambda compared: None)]


# --- What events add up to --------------------------------------------------------


def test_nothing_said_is_nothing_answered():
    assert replay([]) == Answers()
    shown = [Said(act, "", AT, {}) for act in Act if act.value in {"notice_shown", "deferred", "reminder_sent"}]
    assert len(shown) == 3 and replay(shown) == Answers()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["terms_accepted"], Answers(terms="a", epoch=0, since=AT)),
        (["training_allowed"], Answers(training=Training.ALLOW, epoch=0, since=AT)),
        (["training_allowed", "training_withdrawn"], Answers(training=Training.DENY, epoch=1, since=AT)),
        (["training_denied"], Answers(training=Training.DENY, epoch=0, since=AT)),
        (["training_allowed", "training_ended"], Answers(training=None, epoch=1, since=AT)),
        (["history_kept"], Answers(keep_history=True, since=AT)),
        (["history_kept", "history_not_kept"], Answers(keep_history=False, epoch=1, since=AT)),
    ],
)
def test_each_act_tells_its_part(said, expected):
    events = [
        Said(Act(act), "a" if act == "terms_accepted" else "", AT, {"epoch": epoch}) for epoch, act in enumerate(said)
    ]
    assert replay(events) == expected


def test_an_allow_despite_the_browsers_signal_is_told_until_the_next_answer():
    allowed = Said(Act.TRAINING_ALLOWED, "", AT, {"epoch": 1, "despite_gpc": True})
    assert replay([allowed]).despite_gpc
    for later in (Act.TRAINING_DENIED, Act.TRAINING_ENDED, Act.HISTORY_KEPT):
        assert not replay([allowed, Said(later, "", AT, {"epoch": 2})]).despite_gpc


# --- Rows and ledger --------------------------------------------------------------


@pytest.mark.django_db
class TestStandings:
    def test_whatever_people_do_their_standing_can_be_derived(self):
        for person in (alice(), bob(), charlie()):
            decided(person, Training.ALLOW)
        decided(alice(), Training.DENY)
        decided(alice(), Training.ALLOW, keep_history=True)
        decided(bob(), Training.ALLOW, keep_history=True)
        published("2")
        decided(bob(), Training.DENY)
        for person in (alice(), charlie()):
            self.allows_despite_the_signal(person)
        decided(alice(), Training.ALLOW, keep_history=False)
        decided(bob(), Training.DENY, keep_history=True)
        User.objects.filter(pk=charlie().pk).update(date_of_birth=clock.now().date() - timedelta(days=3000))
        judge_age_anew(User.objects.get(pk=charlie().pk))
        Standing.objects.create(user=newcomer())  # has been asked, and said nothing
        assert differing() == []
        call_command("rebuild_standing", "--check")

    def allows_despite_the_signal(self, person: User) -> None:
        terms = standings.owed_terms(person)
        assert terms
        decided(person, Training.DENY)
        choices.choose(
            user=person,
            terms=terms,
            training=Training.ALLOW,
            keep_history=True,
            source=Source.SETTINGS,
            given=choices.Circumstances(gpc=True, despite_gpc=True),
        )
        assert Standing.objects.get(user=person).despite_gpc

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"training": "allow"}, "training is allow, the ledger says deny"),
            ({"training": None}, "training is nothing, the ledger says deny"),
            ({"keep_history": True}, "keep_history is True, the ledger says False"),
            ({"epoch": 7}, "epoch is 7, the ledger says 0"),
            ({"terms": None}, "terms is nothing, the ledger says "),
            ({"since": AT}, "since is 2026-01-01 00:00:00+00:00, the ledger says "),
            ({"despite_gpc": True}, "despite_gpc is True, the ledger says False"),
        ],
    )
    def test_a_row_that_differs_is_named_and_put_right(self, change, named, capsys):
        for person in (alice(), bob()):
            decided(person, Training.DENY)
        before = list(Standing.objects.order_by("pk").values())
        Standing.objects.filter(user=bob()).update(**change)
        with pytest.raises(CommandError, match="1 standings are not"):
            call_command("rebuild_standing", "--check")
        assert f"standing of {bob().public_id}: {named}" in capsys.readouterr().out
        assert list(Standing.objects.order_by("pk").values()) != before
        call_command("rebuild_standing")
        assert list(Standing.objects.order_by("pk").values()) == before
        assert differing() == []

    def test_a_lost_row_is_made_anew_and_an_invented_one_emptied(self):
        decided(alice(), Training.ALLOW)
        before = Standing.objects.values().get(user=alice())
        Standing.objects.filter(user=alice()).delete()
        Standing.objects.create(user=bob(), terms=Terms.objects.get(), training="allow", epoch=3)
        assert len(differing()) == 2
        call_command("rebuild_standing")
        assert Standing.objects.values().get(user=alice()) == before
        assert differing() == [] and Standing.objects.get(user=bob()).training is None

    def test_putting_it_right_tags_the_chats_anew(self):
        decided(alice(), Training.ALLOW)
        conversation = answered(alice()).conversation
        decided(alice(), Training.DENY)
        Standing.objects.filter(user=alice()).update(training="allow")
        judge_age_anew(alice())
        conversation.refresh_from_db()
        assert conversation.tag_reason != "denied"
        call_command("rebuild_standing")
        conversation.refresh_from_db()
        assert conversation.tag_reason == "denied"

    def test_it_costs_the_same_however_many_people(self):
        costs = []
        for number in (1, 30):
            while User.objects.count() < number:
                decided(newcomer())
            with CaptureQueriesContext(connection) as queries:
                assert differing() == []
            costs.append(len(queries))
        assert costs[0] == costs[1]

    def test_a_choice_made_while_it_reads_is_no_difference(self, monkeypatch):
        """Bob decides between the events and the row, and again when both are read once more."""
        decided(bob(), Training.ALLOW)
        real, turns = rebuilding._stored, iter(range(9))

        def stored(people):
            turn = next(turns)
            if turn == 0:
                decided(bob(), Training.DENY)
            found = real(people)
            if turn == 1:
                decided(bob(), Training.ALLOW)
            return found

        monkeypatch.setattr(rebuilding, "_stored", stored)
        assert differing() == []
        assert next(turns) == 5


@pytest.mark.django_db
def test_the_moment_of_a_standing_is_that_of_its_events():
    decided(alice(), Training.ALLOW, keep_history=True)
    assert set(Event.objects.values_list("at", flat=True)) == {Standing.objects.get().since}
    ledger.record(Act.NOTICE_SHOWN, subject=alice(), source=Source.PAGE)
    assert differing() == []
