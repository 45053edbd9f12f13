"""Beginning a turn under attack: repeated, raced, deleted under one's hands, too many at once."""

import threading
from uuid import uuid4

import pytest
from django.db import transaction

from accounts.errors import NotFound
from chat import desk
from chat.errors import Busy, NotPossible
from chat.frames import Again
from chat.models import Conversation, Message, SpentTurn
from chat.turns import acts, conversations
from chat.turns.locks import MOST_OPEN
from privacy.vocabulary import Training
from tests.people import alice, bob, will, works
from tests.scenes import answered, asked, asked_in, decided
from tests.threads import at_once


@pytest.fixture
def person(db):
    decided(alice(), Training.DENY)
    return alice()


def ask(user, request, workspace=None):
    workspace = (workspace or user.personal_workspace).public_id
    return acts.ask(user, workspace=workspace, conversation=None, parent=None, text="Once", request=request)


class TestRepeats:
    def test_one_request_makes_one_turn_and_costs_one_message(self, person):
        request = uuid4()
        assert ask(person, request).answer == ask(person, request).answer
        assert Message.objects.count() == 2 and SpentTurn.objects.count() == 1

    def test_requests_of_two_people_do_not_meet(self, person):
        decided(bob(), Training.DENY)
        request = uuid4()
        assert ask(person, request).answer != ask(bob(), request).answer

    def test_a_deleted_question_does_not_come_back(self, person):
        request = uuid4()
        conversations.delete(person, conversation=ask(person, request).conversation.public_id)
        with pytest.raises(NotFound):
            ask(person, request)

    def test_nor_in_another_workspace(self, db):
        decided(will(), Training.DENY)
        request = uuid4()
        ask(will(), request, works())
        with pytest.raises(NotFound):
            ask(will(), request)

    def test_one_regeneration_for_one_request(self, person):
        turn, request = answered(person), uuid4()
        first = acts.regenerate(person, message=turn.answer.public_id, request=request)
        assert acts.regenerate(person, message=turn.answer.public_id, request=request).answer == first.answer
        assert Message.objects.filter(role="assistant").count() == 2

    def test_nor_two_over_a_socket(self, person):
        turn = answered(person)
        frame = Again("regenerate", turn.answer.public_id, uuid4())
        assert desk.begin(person, frame)["answer"] == desk.begin(person, frame)["answer"]
        assert Message.objects.filter(role="assistant").count() == 2


class TestBusy:
    def test_nothing_is_asked_below_an_answer_that_is_being_written(self, person):
        turn = asked(person)
        with pytest.raises(Busy):
            asked(person, within=turn.conversation)

    def test_nor_a_second_one_beside_it(self, person):
        turn = asked(person)
        with pytest.raises(Busy):
            acts.regenerate(person, message=turn.answer.public_id)
        with pytest.raises(NotPossible):
            acts.resume(person, message=turn.answer.public_id)

    def test_one_person_does_not_take_every_thread_of_a_worker(self, person):
        for _ in range(MOST_OPEN - 1):
            asked(person)
        last = answered(person)
        asked(person)
        with pytest.raises(Busy):
            asked(person)
        with pytest.raises(Busy):
            acts.regenerate(person, message=last.answer.public_id)
        decided(bob(), Training.DENY)
        asked(bob())


class TestWhoIsThere:
    def test_somebody_who_was_switched_off_begins_nothing(self, person):
        type(person).objects.filter(pk=person.pk).update(is_active=False)
        with pytest.raises(NotFound):
            asked(person)

    def test_nor_somebody_who_left_the_workspace(self, db):
        conversation = asked_in(will(), works()).conversation
        will().memberships.filter(workspace=works()).delete()
        with pytest.raises(NotFound):
            asked_in(will(), works())
        with pytest.raises(NotFound):
            asked(will(), within=conversation)


def test_going_on_after_a_stop_costs_a_message_and_after_a_failure_none(person):
    turn = answered(person)
    for state, spent in (("failed", 1), ("interrupted", 1), ("stopped", 2)):
        Message.objects.filter(pk=turn.answer.pk).update(state=state)
        acts.resume(person, message=turn.answer.public_id)
        assert SpentTurn.objects.count() == spent


def test_one_request_in_two_workspaces_at_once_is_one_turn(committed):
    person, workspace = will(), works()
    decided(person, Training.DENY)
    for _ in range(5):
        request = uuid4()
        raised = at_once(lambda r=request: ask(person, r), lambda r=request: ask(person, r, workspace))
        assert [type(error) for error in raised] == [NotFound]
        Message.objects.filter(state="waiting").update(state="complete")


def test_a_question_does_not_reach_a_conversation_that_is_being_deleted(committed):
    person = alice()
    decided(person, Training.DENY)
    conversation = answered(person).conversation
    raised: list[BaseException] = []

    def turn() -> None:
        raised.extend(at_once(lambda: asked(person, "Too late", within=conversation)))

    with transaction.atomic():
        conversations.delete(person, conversation=conversation.public_id)
        thread = threading.Thread(target=turn)
        thread.start()
        thread.join(0.3)
    thread.join()
    assert [type(error) for error in raised] == [NotFound]
    assert Conversation.objects.get().messages.count() == 2 and SpentTurn.objects.count() == 1
