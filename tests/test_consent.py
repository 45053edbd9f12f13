"""No choice, no chat; silence is never consent: what a gate says and what an answer does, against real rows."""

from datetime import timedelta

import pytest

from accounts import clock
from chat.models import Conversation, Message
from privacy import gate, policy, standings, tagging
from privacy.choices import choose
from privacy.errors import BadAnswer, ConsentRequired, StaleAnswer
from privacy.models import Event, Standing
from privacy.policy import Gate
from privacy.vocabulary import Act, Source, Training
from tests.people import alice, bob, will, works
from tests.scenes import answered, asked, asked_in, decided, published


@pytest.mark.django_db
class TestGate:
    def test_a_new_person_is_stopped_until_they_answer(self):
        with pytest.raises(ConsentRequired):
            asked(alice())
        assert not Message.objects.exists() and not Conversation.objects.exists()
        decided(alice(), Training.DENY)
        assert asked(alice()).question.text == "What is a promise?"

    def test_new_terms_ask_before_the_deadline_and_stop_at_it(self, move_clock):
        decided(alice())
        terms = published()
        answer = gate.gate_for(alice(), alice().personal_workspace)
        assert (answer.gate, answer.deadline, answer.newcomer) == (Gate.ASK, terms.deadline, False)
        asked(alice())
        move_clock(days=30, seconds=5)
        assert gate.gate_for(alice(), alice().personal_workspace).gate is Gate.STOP
        with pytest.raises(ConsentRequired):
            asked(alice())
        decided(alice())
        asked(alice())

    def test_a_correction_asks_nobody(self):
        decided(alice())
        published(needs_answer=False, deadline=None)
        assert gate.gate_for(alice(), alice().personal_workspace).gate is Gate.OPEN

    def test_terms_of_tomorrow_are_not_owed_today(self):
        decided(alice())
        published(published_at=clock.now() + timedelta(days=1))
        assert gate.gate_for(alice(), alice().personal_workspace).gate is Gate.OPEN

    def test_work_never_asks(self):
        turn = asked_in(will(), works())
        assert turn.conversation.tag_class == "agreement"
        with pytest.raises(ConsentRequired):
            asked(will())

    def test_one_query_at_most(self, django_assert_max_num_queries):
        decided(alice())
        workspace = alice().personal_workspace
        with django_assert_max_num_queries(1):
            gate.gate_for(alice_ := workspace.personal_to, workspace)
        assert alice_ == alice()


@pytest.mark.django_db
class TestNewTerms:
    """Gate and training go by the same moment: the earliest deadline of all that was left unanswered."""

    def gate(self) -> gate.Answer:
        return gate.gate_for(alice(), alice().personal_workspace)

    def rests(self) -> bool:
        """Whether the Allow rests, in Python and in SQL alike."""
        rests = policy.suspended(standings.standing_of(alice()), clock.now())
        in_force = Standing.objects.in_force(clock.now()).filter(user=alice()).exists()
        assert in_force is not rests and Conversation.objects.trainable(clock.now()).exists() is not rests
        return rests

    @pytest.fixture(autouse=True)
    def _allowed(self):
        decided(alice())
        asked(alice())

    def test_a_third_version_grants_no_new_delay_to_those_who_missed_the_second(self, move_clock):
        second = published("2", timedelta(days=30))
        move_clock(days=29)
        published("3", timedelta(days=30))
        answer = self.gate()
        assert (answer.gate, answer.terms, answer.deadline) == (Gate.ASK, "3", second.deadline)
        assert not self.rests()
        move_clock(days=31)
        assert self.gate().gate is Gate.STOP and self.rests()
        with pytest.raises(ConsentRequired):
            asked(alice())
        decided(alice())
        assert self.gate() == gate.OPEN and not self.rests()

    def test_whoever_answered_the_second_may_wait_with_the_third(self, move_clock):
        published("2", timedelta(days=30))
        decided(alice())
        move_clock(days=29)
        third = published("3", timedelta(days=30))
        move_clock(days=31)
        assert (self.gate().gate, self.gate().deadline) == (Gate.ASK, third.deadline)
        assert not self.rests()

    def test_a_nearer_deadline_of_newer_terms_counts(self, move_clock):
        published("2", timedelta(days=30))
        published("3", timedelta(days=2))
        move_clock(days=3)
        assert self.gate().gate is Gate.STOP and self.rests()

    def test_terms_without_a_deadline_stop_and_suspend_at_once(self):
        published(deadline=None)
        assert self.gate().gate is Gate.STOP and self.rests()

    def test_corrections_and_terms_of_tomorrow_suspend_nobody(self):
        published("2", deadline=None, needs_answer=False)
        published("3", deadline=None, published_at=clock.now() + timedelta(days=1))
        assert self.gate() == gate.OPEN and not self.rests()

    def test_of_two_versions_of_one_moment_the_later_made_is_owed(self):
        moment = clock.now()
        published("2", timedelta(days=30), published_at=moment)
        decided(alice())
        published("3", timedelta(days=20), published_at=moment)
        assert (self.gate().gate, self.gate().terms) == (Gate.ASK, "3")
        decided(alice())
        assert self.gate() == gate.OPEN

    def test_what_begins_while_the_allow_rests_is_begun_without_one(self):
        """The gate stops it before; the tag would not let it pass either."""
        published(deadline=None)
        row = Conversation(workspace=alice().personal_workspace, author=alice())
        tagging.begin(row, standings.standing_of(alice()), policy.Agreement())
        assert row.begun_epoch is None
        decided(alice())
        tagging.begin(row, standings.standing_of(alice()), policy.Agreement())
        assert row.begun_epoch == 1

    def test_a_person_who_never_answered_has_no_deadline(self):
        published()
        answer = gate.gate_for(bob(), bob().personal_workspace)
        assert (answer.gate, answer.newcomer, answer.deadline) == (Gate.STOP, True, None)


@pytest.mark.django_db
class TestChoice:
    def test_nothing_is_recorded_without_an_answer(self):
        with pytest.raises(BadAnswer):
            decided(alice(), None)
        assert not Event.objects.exists()

    def test_minors_and_unknown_ages_are_not_asked_and_never_train(self):
        child = bob(date_of_birth=None)
        with pytest.raises(BadAnswer):
            decided(child, Training.ALLOW)
        decided(child, None)
        turn = asked(child)
        assert (turn.conversation.tag_reason, turn.conversation.trains_until) == ("age", None)

    def test_superseded_terms_cannot_be_answered(self):
        old = standings.owed_terms(alice())
        published()
        with pytest.raises(StaleAnswer):
            choose(user=alice(), terms=old, training=Training.ALLOW, keep_history=False, source=Source.PAGE)

    def test_the_same_answer_twice_is_recorded_once(self):
        decided(alice())
        decided(alice())
        assert [event.act for event in Event.objects.of(alice())] == [Act.TRAINING_ALLOWED, Act.TERMS_ACCEPTED]
        assert Standing.objects.get(user=alice()).epoch == 1

    def test_off_and_on_again_begins_a_new_epoch(self):
        decided(alice())
        first = asked(alice()).conversation
        assert first.trains_until
        decided(alice(), Training.DENY)
        decided(alice(), Training.ALLOW)
        first.refresh_from_db()
        assert (first.trains_until, first.tag_reason, first.tag_epoch) == (None, "begun_before", 3)
        assert asked(alice()).conversation.trains_until
        assert list(Conversation.objects.trainable(clock.now())) == [Conversation.objects.order_by("-pk").first()]

    def test_begun_before_the_choice_never_trains_however_it_is_resumed(self):
        decided(alice(), Training.DENY)
        old = answered(alice()).conversation
        decided(alice(), Training.ALLOW)
        resumed = asked(alice(), "And now?", within=old).conversation
        assert (resumed.trains_until, resumed.tag_reason) == (None, "begun_before")

    def test_an_allow_under_new_terms_continues_the_epoch(self, move_clock):
        decided(alice())
        conversation = asked(alice()).conversation
        published()
        move_clock(days=31)
        assert standings.standing_of(alice()).suspended_from < clock.now()
        decided(alice())
        conversation.refresh_from_db()
        assert conversation.begun_epoch == conversation.tag_epoch == 1 and conversation.trains_until

    def test_turning_training_off_never_hides_anything_within_thirty_days(self, move_clock):
        decided(alice())
        conversation = asked(alice()).conversation
        move_clock(days=365)
        decided(alice(), Training.DENY)
        conversation.refresh_from_db()
        assert conversation.trains_until is None
        assert timedelta(days=29, hours=23) < conversation.hidden_from - clock.now() <= timedelta(days=30)

    def test_a_members_choice_changes_nothing_at_work(self):
        conversation = asked_in(will(), works()).conversation
        before = conversation.tag
        decided(will(), Training.ALLOW)
        conversation.refresh_from_db()
        assert conversation.tag == before and conversation.trains_until is None

    def test_what_has_expired_does_not_come_back_by_a_new_answer(self, move_clock):
        decided(alice(), Training.DENY)
        conversation = asked(alice()).conversation
        move_clock(days=31)
        decided(alice(), Training.DENY, keep_history=True)
        assert not Conversation.objects.visible(clock.now()).filter(pk=conversation.pk).exists()

    def test_what_is_not_said_about_the_history_changes_nothing(self):
        for kept in (True, False):
            decided(alice(), Training.DENY, keep_history=kept)
            published(f"new-{kept}")
            choose(
                user=alice(),
                terms=standings.owed_terms(alice()),
                training=Training.ALLOW,
                keep_history=None,
                source=Source.PAGE,
            )
            assert Standing.objects.get(user=alice()).keep_history is kept
        acts = [event.act for event in Event.objects.of(alice())]
        assert (acts.count(Act.HISTORY_KEPT), acts.count(Act.HISTORY_NOT_KEPT)) == (1, 1)
