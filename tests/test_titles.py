"""Titles by the model: short, about the question, never over one by hand, never of what is deleted."""

import pytest

from chat.generation.title import _fitting, give_title
from chat.generation.write import write_answer
from chat.models import Conversation
from chat.tasks import title_conversation
from chat.turns import conversations
from config.celery import app
from privacy.vocabulary import Training
from tests.people import alice
from tests.scenes import answered, asked, decided

BREAD = "How do I bake bread without kneading?"


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Bread without kneading", "Bread without kneading"),
        ('**"Bread without kneading"**\nHere it is.', "Bread without kneading"),
        ("Title: No-knead bread", "No-knead bread"),
        ("bread", "Bread"),
        ("You bake it in a hot pot for forty minutes or longer", ""),
        ("Bread is great!", ""),
        ("Something else entirely", ""),
        ("", ""),
        ("\n \n", ""),
        ("bread " * 100, ""),
    ],
)
def test_what_is_taken_for_a_title(said, title):
    assert _fitting(said, BREAD) == title


SCRIPTED = 'Bread\n/script {"pieces": ["Bread without kneading"]}'


@pytest.fixture
def conversation(committed):
    decided(alice(), Training.DENY)
    return answered(alice(), SCRIPTED).conversation


def test_the_model_names_a_young_conversation(conversation, monkeypatch):
    monkeypatch.setattr("chat.generation.title._ask", _says("Bread without kneading"))
    give_title(conversation.pk)
    conversation.refresh_from_db()
    assert (conversation.title, conversation.title_source) == ("Bread without kneading", "model")


def test_a_title_by_hand_stays(conversation, monkeypatch):
    conversations.rename(alice(), conversation=conversation.public_id, title="  My \n bread ")
    monkeypatch.setattr("chat.generation.title._ask", _says("Bread without kneading"))
    give_title(conversation.pk)
    conversation.refresh_from_db()
    assert (conversation.title, conversation.title_source) == ("My bread", "hand")


def test_what_is_deleted_meanwhile_gets_none(conversation, monkeypatch):
    async def ask(question):
        await _delete(conversation)
        return "Bread without kneading"

    monkeypatch.setattr("chat.generation.title._ask", ask)
    give_title(conversation.pk)
    assert Conversation.objects.get(pk=conversation.pk).title_source == "question"


def test_a_model_whose_title_was_no_good_is_not_asked_again(conversation, monkeypatch):
    questions = []

    async def ask(question):
        questions.append(question)
        return "Something else entirely"

    monkeypatch.setattr("chat.generation.title._ask", ask)
    give_title(conversation.pk)
    assert len(questions) == 1
    turn = asked(alice(), "And with yeast?", within=conversation)
    give_title(conversation.pk)  # the first task came late: its answer is still the only one that has ended
    assert len(questions) == 2
    write_answer(turn.answer.pk)
    give_title(conversation.pk)
    assert len(questions) == 2


@pytest.mark.parametrize("ended", ["", "&fail_after=1&failure=cut_short"])  # a model that goes on talking is cut short
def test_the_model_is_asked_in_a_thread_and_not_where_sweeps_wait(conversation, settings, ended):
    settings.MODEL = {**settings.MODEL, "url": f"scripted:?pieces=Bread%20without%20kneading{ended}"}
    route = app.amqp.router.route({}, title_conversation.name)
    assert route["queue"].name == "generation"
    give_title(conversation.pk)  # the scripted model's own words, by way of the engine
    conversation.refresh_from_db()
    assert (conversation.title, conversation.title_source) == ("Bread without kneading", "model")


def _says(title):
    async def ask(question):
        return title

    return ask


async def _delete(conversation):
    from asgiref.sync import sync_to_async

    await sync_to_async(lambda: conversations.delete(alice(), conversation=conversation.public_id))()
