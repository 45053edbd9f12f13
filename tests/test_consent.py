"""No choice, no chat; silence is never consent; evidence outlives. Against real rows, locks and triggers."""

import threading
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, connections, transaction

from accounts import clock
from accounts.changes import age_changed
from chat.models import Conversation, Message
from privacy import gate, standings
from privacy.choices import choose
from privacy.errors import BadAnswer, ConsentRequired, StaleAnswer
from privacy.models import Event, Standing, Subject, Terms, Tombstone
from privacy.policy import Gate
from privacy.vocabulary import Act, Source, Training
from tests import database
from tests.people import alice, bob, wendy, will, works
from tests.scenes import answered, asked, asked_in, decided


def publish(slug: str = "2", deadline: timedelta | None = timedelta(days=30), **more) -> Terms:
    return Terms.objects.create(
        **{
            "slug": slug,
            "title": "New terms",
            "summary": "One thing changes.",
            "body": "Text",
            "published_at": clock.now(),
            "deadline": clock.now() + deadline if deadline else None,
            **more,
        }
    )


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
        terms = publish()
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
        publish(needs_answer=False, deadline=None)
        assert gate.gate_for(alice(), alice().personal_workspace).gate is Gate.OPEN

    def test_terms_of_tomorrow_are_not_owed_today(self):
        decided(alice())
        publish(published_at=clock.now() + timedelta(days=1))
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
        old = standings.owed_terms()
        publish()
        with pytest.raises(StaleAnswer):
            choose(user=alice(), terms=old, training=Training.ALLOW, keep_history=False, source=Source.CHOICE_PAGE)

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
        publish()
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


def test_a_turn_and_a_withdrawal_at_the_same_moment(committed):
    """Whoever comes first: no conversation is left that trains without a standing Allow."""
    person = wendy()
    decided(person, Training.ALLOW)
    failures: list[BaseException] = []

    def run(act) -> None:
        try:
            act()
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    for round_ in range(15):
        pair = [
            threading.Thread(target=run, args=(lambda: asked(person),)),
            threading.Thread(target=run, args=(lambda: decided(person, Training.DENY),)),
        ]
        for thread in pair if round_ % 2 else reversed(pair):
            thread.start()
        for thread in pair:
            thread.join()
        assert failures == []
        assert not Conversation.objects.filter(trains_until__isnull=False).exists()
        decided(person, Training.ALLOW)


def test_a_turn_waits_for_a_choice_that_is_being_made(committed):
    """With the standing row locked by a choice, a turn does not begin under the old standing."""
    person = alice()
    decided(person, Training.ALLOW)
    begun = []

    def turn() -> None:
        begun.append(asked(person).conversation.trains_until)
        connections.close_all()

    with transaction.atomic():
        decided(person, Training.DENY)
        thread = threading.Thread(target=turn)
        thread.start()
        thread.join(0.3)
        assert begun == []  # it waits for the lock
    thread.join()
    assert begun == [None]


@pytest.mark.django_db
class TestEvidence:
    @pytest.mark.parametrize(
        "attack",
        [
            "UPDATE privacy_event SET act = 'training_allowed'",
            "DELETE FROM privacy_event",
            "TRUNCATE privacy_event",
            "UPDATE privacy_tombstone SET cause = 'expired'",
            "UPDATE privacy_terms SET body = 'other'",
            "UPDATE privacy_terms SET deadline = now()",
            "DELETE FROM privacy_terms WHERE slug = '1'",
            "ALTER TABLE privacy_event DISABLE TRIGGER ALL",
            "SET session_replication_role = replica",
        ],
    )
    def test_the_application_cannot_change_it(self, attack):
        decided(alice(), Training.DENY)
        Tombstone.objects.create(kind="x", key=uuid4(), retention_class="standard", cause="deleted")
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attack)
            # An UPDATE that touches no row fires no row trigger: none of these may pass.
            pytest.fail(f"not refused: {attack}")

    def test_it_speaks_of_a_number_and_not_of_a_person(self):
        decided(alice(), Training.DENY)
        event = Event.objects.of(alice()).first()
        assert event.subject == Subject.objects.get(user=alice()).key != alice().public_id
        assert event.terms == Terms.objects.get(slug="1").digest


def test_the_owner_is_refused_too(committed):
    decided(alice(), Training.DENY)
    with database.owner() as owner:
        for attack in ("UPDATE privacy_event SET act = 'x'", "DELETE FROM privacy_event", "TRUNCATE privacy_event"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(attack)


@pytest.mark.django_db
def test_the_application_owns_no_table_and_is_no_superuser():
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
class TestAge:
    def test_an_age_that_is_given_later_makes_every_tag_true_again(self, client):
        ageless = bob(date_of_birth=None)
        decided(ageless, None)
        conversation = asked(ageless).conversation
        client.force_login(ageless)
        form = {"display_name": "Bob", "locale": "en", "time_zone": "UTC", "region": "", "date_of_birth": "1990-05-17"}
        client.post("/account/profile/", form)
        conversation.refresh_from_db()
        assert conversation.author.date_of_birth and conversation.tag_reason == "undecided"

    def test_an_allow_of_somebody_who_is_not_of_age_ends_for_good(self):
        decided(alice(), Training.ALLOW)
        conversation = asked(alice()).conversation
        person = alice()
        person.date_of_birth = (clock.now() - timedelta(days=365 * 17)).date()
        person.save()
        age_changed(person)
        conversation.refresh_from_db()
        assert (conversation.trains_until, conversation.tag_reason) == (None, "age")
        assert Standing.objects.get(user=person).training is None
        person.date_of_birth = (clock.now() - timedelta(days=365 * 30)).date()
        person.save()
        age_changed(person)
        decided(person, Training.ALLOW)
        conversation.refresh_from_db()
        assert (conversation.trains_until, conversation.tag_reason) == (None, "begun_before")
