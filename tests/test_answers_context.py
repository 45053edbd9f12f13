"""What the model is given: the branch that leads to the answer, cut to what fits, and read without the rest."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.generation import prompt
from chat.models import Message
from chat.providers.base import Turn
from privacy.vocabulary import Training
from tests.people import alice
from tests.scenes import answered, asked, decided


@pytest.fixture
def person(committed):
    decided(alice(), Training.DENY)
    return alice()


def conversation_of(person, turns: int) -> Message:
    """The open answer at the end of so many turns; beside each answer stands another, on no branch of it."""
    turn = answered(person, "Question 1", "Answer 1")
    for number in range(2, turns + 2):
        Message.objects.create(
            conversation=turn.conversation, parent=turn.answer.parent, role="assistant", text=f"Elsewhere {number}"
        )
        turn = asked(person, f"Question {number}", within=turn.conversation)
        Message.objects.filter(pk=turn.answer.pk).update(state="complete", text=f"Answer {number}")
    return Message.objects.select_related("conversation__workspace").get(pk=turn.answer.pk)


def turns_before(answer: Message) -> list[Turn]:
    assert answer.parent_id
    return prompt.turns_before(answer.parent_id, 4096)


def test_the_branch_and_nothing_beside_it(person):
    turns = turns_before(conversation_of(person, 2))
    assert [(turn.role, turn.text) for turn in turns] == [
        *(("user", "Question 1"), ("assistant", "Answer 1"), ("user", "Question 2")),
        *(("assistant", "Answer 2"), ("user", "Question 3")),
    ]


def test_the_oldest_is_left_out_where_it_does_not_fit_and_a_question_comes_first(person, monkeypatch):
    answer = conversation_of(person, 3)
    monkeypatch.setattr(prompt, "_budget", lambda granted: len("Answer 2Question 3Answer 3Question 4"))
    assert [turn.text for turn in turns_before(answer)] == ["Question 3", "Answer 3", "Question 4"]
    monkeypatch.setattr(prompt, "_budget", lambda granted: 1)
    assert [turn.text for turn in turns_before(answer)] == ["Question 4"]


def test_an_answer_that_said_nothing_is_no_turn(person):
    answer = conversation_of(person, 1)
    Message.objects.filter(text="Answer 1").update(text="")
    assert [turn.text for turn in turns_before(answer)] == ["Question 1", "Question 2"]


def test_a_long_conversation_takes_no_more_queries_and_only_the_texts_that_fit(person, monkeypatch):
    answers = [conversation_of(person, turns) for turns in (1, 9)]
    monkeypatch.setattr(prompt, "_budget", lambda granted: len("Question 9Answer 9Question 10"))
    for answer in answers:
        with CaptureQueriesContext(connection) as queries:
            turns = turns_before(answer)
        assert len(queries) == 1
    assert [turn.text for turn in turns] == ["Question 9", "Answer 9", "Question 10"]
