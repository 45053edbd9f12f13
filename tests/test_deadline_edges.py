"""The edges of a deadline: the instant itself, the hour on somebody's wall, what changes while something goes on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.template.defaultfilters import date
from django.test import Client

from accounts import clock
from accounts.models import User, Workspace
from accounts.plans import Plan
from chat.generation.write import write_answer
from chat.models import Conversation, Message
from chat.turns import acts
from privacy import gate, policy, rebuilding, standings
from privacy.errors import ConsentRequired
from privacy.models import DeadlineMove, Standing, Terms
from privacy.policy import Gate
from privacy.vocabulary import Training
from tests.answering import WORDS, apart, eventually, in_background, script, text_of, until_somebody_waits
from tests.choosing import CHOICE, SETTINGS, answers, says, token
from tests.people import alice, bob, max_
from tests.scenes import answered, asked, decided, published

INSTANT = timedelta(microseconds=1)


def answer_of(person: User, at: datetime | None = None) -> gate.Answer:
    return gate.gate_for(person, person.personal_workspace, at=at)


def may_begin(person: User) -> bool:
    """Whether a turn begins; one that does is over at once."""
    try:
        answer = asked(person).answer
    except ConsentRequired:
        return False
    Message.objects.filter(pk=answer.pk).update(state="complete")
    return True


@pytest.fixture
def stand_still(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Let the clock stand at a moment, which else passes too quickly to be met."""
    return lambda moment: monkeypatch.setattr(clock, "now", lambda: moment)


# --- The instant --------------------------------------------------------------------


@pytest.mark.django_db
class TestInstant:
    @pytest.fixture
    def terms(self) -> Terms:
        decided(alice(), Training.ALLOW)
        asked(alice())
        return published()

    @pytest.mark.parametrize(("off", "open_"), [(-INSTANT, True), (timedelta(0), False), (INSTANT, False)])
    def test_until_the_deadline_and_no_longer(self, terms, stand_still, off, open_):
        """The gate in SQL, as it is asked under the lock, the standing and the exporter say the same."""
        at = terms.deadline + off
        stand_still(at)
        assert answer_of(alice()).gate is answer_of(alice(), at).gate is (Gate.ASK if open_ else Gate.STOP)
        assert may_begin(alice()) is open_
        assert policy.suspended(standings.standing_of(alice()), at) is not open_
        assert Standing.objects.in_force(at).filter(user=alice()).exists() is open_
        assert Conversation.objects.trainable(at).exists() is open_

    @pytest.mark.parametrize(("off", "open_"), [(-INSTANT, True), (timedelta(0), False), (INSTANT, False)])
    def test_a_moved_deadline_is_an_instant_too(self, terms, stand_still, off, open_):
        later = terms.deadline + timedelta(days=3)
        DeadlineMove.objects.create(terms=terms, deadline=later, reason="Mail was down.")
        stand_still(later + off)
        assert answer_of(alice()).gate is (Gate.ASK if open_ else Gate.STOP) and may_begin(alice()) is open_

    @pytest.mark.parametrize(("off", "asks"), [(-INSTANT, False), (timedelta(0), True)])
    def test_a_publication_counts_from_its_instant_on(self, stand_still, off, asks):
        decided(alice(), Training.ALLOW)
        at = clock.now() + timedelta(days=2)
        published(published_at=at)
        stand_still(at + off)
        assert (answer_of(alice()).gate is Gate.ASK) is asks
        assert standings.owed_terms(alice()).slug == ("2" if asks else "1")

    @pytest.mark.parametrize(("off", "slug"), [(-INSTANT, "1"), (timedelta(0), "2")])
    def test_new_people_are_asked_from_the_effective_instant_on(self, stand_still, off, slug):
        at = clock.now() + timedelta(days=5)
        published(effective_at=at)
        stand_still(at + off)
        assert answer_of(bob()).terms == standings.owed_terms(bob()).slug == slug


@pytest.mark.django_db
def test_a_deadline_is_one_instant_everywhere_and_pages_say_it_in_local_time(client, stand_still):
    deadline = datetime(clock.now().year + 1, 3, 1, 23, 30, tzinfo=UTC)
    zones = {alice(): "Pacific/Auckland", bob(): "Pacific/Honolulu", max_(): "Asia/Kathmandu"}
    for person, zone in zones.items():
        decided(person, Training.DENY)
        User.objects.filter(pk=person.pk).update(time_zone=zone)
    published(deadline=deadline - clock.now())
    deadline = Terms.objects.get(slug="2").deadline
    said = set()
    for person, zone in zones.items():
        client.force_login(person)
        local = date(deadline.astimezone(ZoneInfo(zone)), "j F Y, H:i")
        assert f"Please answer by {local}" in client.get(CHOICE).content.decode()
        assert client.get("/chat/")["Parley-Choice-By"] == deadline.isoformat()
        said.add(local)
    assert len(said) == 3
    for at, expected in ((deadline - INSTANT, Gate.ASK), (deadline, Gate.STOP)):
        assert {answer_of(person, at).gate for person in zones} == {expected}


# --- While a turn runs ------------------------------------------------------------------


class TestRunningTurn:
    @pytest.fixture
    def person(self, committed) -> User:
        decided(alice(), Training.ALLOW)
        return alice()

    def test_it_finishes_though_the_deadline_passes_and_the_next_does_not_begin(self, person):
        turn = asked(person, script(words=300, delay=0.004))
        published(deadline=timedelta(seconds=0.3))
        running = in_background(turn.answer.pk)
        eventually(lambda: answer_of(person).gate is Gate.STOP)
        assert running.is_alive() and not may_begin(person)
        running.join(10)
        assert text_of(turn.answer) == WORDS and turn.answer.state == Message.State.COMPLETE
        assert not Conversation.objects.trainable(clock.now()).exists()
        decided(person, Training.ALLOW)
        assert Conversation.objects.trainable(clock.now()).get() == turn.conversation
        assert asked(person, "And now?", within=turn.conversation)

    def test_a_deadline_that_is_moved_meanwhile_lets_the_next_begin(self, person):
        terms = published(deadline=timedelta(seconds=0.1))
        turn = asked(person, script(words=300, delay=0.002))
        running = in_background(turn.answer.pk)
        eventually(lambda: answer_of(person).gate is Gate.STOP)
        DeadlineMove.objects.create(terms=terms, deadline=clock.now() + timedelta(days=3), reason="Mail was down.")
        assert answer_of(person).gate is Gate.ASK and may_begin(person)
        running.join(10)
        assert text_of(turn.answer) == WORDS

    def test_what_waited_for_a_worker_is_written_after_the_deadline(self, person):
        """The question was stored in time: nobody waits for nothing."""
        turn = asked(person, script(words=300))
        published(deadline=timedelta(seconds=-1))
        assert not may_begin(person)
        write_answer(turn.answer.pk)
        assert text_of(turn.answer) == WORDS and turn.answer.state == Message.State.COMPLETE

    def test_a_turn_that_waits_for_the_choice_being_made_begins_after_it(self, person):
        """Whoever has just accepted is never told to accept: the gate is asked behind the choice's lock."""
        published(deadline=timedelta(seconds=-1))
        assert not may_begin(person)
        with until_somebody_waits():
            decided(person, Training.DENY)
            turn = apart(asked, person)
        assert turn.result(10).conversation.begun_epoch is None


@pytest.mark.django_db
class TestRepeatedRequest:
    """A question that is said again, since the line broke before its answer came."""

    def ask(self, request):
        room = alice().personal_workspace.public_id
        return acts.ask(alice(), workspace=room, conversation=None, parent=None, text="Once", request=request)

    def test_it_is_the_turn_that_began_in_time(self):
        decided(alice(), Training.DENY)
        request = uuid4()
        turn = self.ask(request)
        published(deadline=timedelta(seconds=-1))
        assert self.ask(request).answer == turn.answer
        with pytest.raises(ConsentRequired):
            self.ask(uuid4())
        assert Message.objects.count() == 2


# --- While the question is open -----------------------------------------------------------


@pytest.mark.django_db
class TestOpenQuestion:
    def move(self, plan: Plan) -> None:
        Workspace.objects.filter(personal_to=alice()).update(plan=plan)

    def test_somebody_who_leaves_the_audience_owes_nothing_and_answers_nothing(self, client: Client):
        decided(alice(), Training.ALLOW)
        published(audience=["free"])
        client.force_login(alice())
        fresh, before = token(client.get(CHOICE)), answers(alice())
        self.move(Plan.PRO)
        page = client.post(CHOICE, {"token": fresh, "training": "deny"})
        assert "Nothing was recorded" in says(page) and answers(alice()) == before
        assert answer_of(alice()) == gate.OPEN and may_begin(alice())
        assert "Not now" not in page.content.decode()

    def test_somebody_who_enters_it_sees_the_text_before_an_answer_counts(self, client: Client):
        decided(alice(), Training.ALLOW)
        published(audience=["pro"], title="Terms of Pro")
        client.force_login(alice())
        fresh, before = token(client.get(SETTINGS)), answers(alice())
        self.move(Plan.PRO)
        page = client.post(SETTINGS, {"token": fresh, "training": "deny"})
        assert "Nothing was recorded" in says(page) and answers(alice()) == before
        assert answer_of(alice()).gate is Gate.ASK and answer_of(alice()).terms == "2"
        assert client.post(SETTINGS, {"token": token(page), "training": "deny"}).status_code == 302
        assert answer_of(alice()) == gate.OPEN

    def test_a_newcomer_who_is_overtaken_by_the_effective_moment_sees_the_newer_text(self, client, move_clock):
        published(effective_at=clock.now() + timedelta(hours=1), title="Newer terms")
        client.force_login(bob())
        fresh = token(client.get(CHOICE))
        move_clock(hours=1)
        page = client.post(CHOICE, {"token": fresh, "training": "allow"})
        assert "Newer terms" in page.content.decode() and "Nothing was recorded" in says(page) and answers(bob()) == []

    def test_a_newcomer_who_answered_before_it_is_asked_like_everybody(self, client, move_clock):
        terms = published(effective_at=clock.now() + timedelta(days=5))
        decided(bob(), Training.DENY)
        assert (answer_of(bob()).gate, answer_of(bob()).deadline) == (Gate.ASK, terms.deadline)


@pytest.mark.django_db
def test_a_clock_that_goes_back_asks_nobody_twice(move_clock):
    """In tests alone clocks go back: an answer stands, an unanswered question is open again, the ledger still tells."""
    decided(alice(), Training.ALLOW)
    decided(bob(), Training.DENY)
    published()
    move_clock(days=31)
    assert not may_begin(alice())
    decided(bob(), Training.DENY)
    move_clock(days=-1)
    assert answer_of(bob()) == gate.OPEN and may_begin(bob())
    move_clock(days=1)
    assert answer_of(alice()).gate is Gate.ASK and may_begin(alice())
    assert answered(bob()) and not list(rebuilding.differences(lambda _: None))
