"""How the file of one's data is made: page by page, in little memory, holding no connection, with nothing forgotten."""

import asyncio
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Membership, User
from chat.models import Conversation, Message
from privacy import holdings, portability, tagging
from privacy.policy import Schedule, Standing
from privacy.vocabulary import Training
from tests.exporting import DOCUMENT, exported
from tests.leaving import settled
from tests.people import alice, bob, works
from tests.scenes import answered, asked_in, decided

DOCS = Path(__file__).resolve().parent.parent / "docs" / "export.md"


def queries(user: User) -> int:
    with CaptureQueriesContext(connection) as seen:
        b"".join(portability.document(user))
    return len(seen)


@pytest.mark.django_db
def test_thirty_conversations_take_as_many_queries_as_one():
    for person, at_home, at_work in ((alice(), 1, 1), (bob(), 20, 10)):
        decided(person, Training.DENY)
        Membership.objects.create(user=person, workspace=works())
        for _ in range(at_home):
            answered(person)
        for _ in range(at_work):
            turn = asked_in(person, works())
            Message.objects.filter(pk=turn.answer.pk).update(state="complete")
    assert queries(alice()) == queries(bob())


@pytest.mark.django_db
def test_pages_join_without_a_gap_or_a_repeat(monkeypatch):
    decided(alice(), Training.DENY)
    for number in range(7):
        turn = answered(alice(), f"Question {number}")
        for more in range(number % 3):
            Message.objects.create(
                conversation=turn.conversation, parent=turn.answer, author=alice(), role="user", text=f"More {more}"
            )
    at_once = exported(alice())["conversations"]
    for size in (1, 2, 3):
        monkeypatch.setattr("chat.parts.CONVERSATIONS", size)
        monkeypatch.setattr("chat.parts.MESSAGES", size)
        assert exported(alice())["conversations"] == at_once
    assert [len(one["messages"]) for one in at_once] == [2, 3, 4, 2, 3, 4, 2]


@pytest.mark.django_db
def test_a_conversation_without_messages_has_an_empty_list():
    rows = [Conversation(workspace=alice().personal_workspace, author=alice()) for _ in range(3)]
    for row in rows:
        tagging.tag(row, Standing(), Schedule())
    Conversation.objects.bulk_create(rows)
    decided(alice(), Training.DENY)
    answered(alice())
    assert [len(one["messages"]) for one in exported(alice())["conversations"]] == [0, 0, 0, 2]


@pytest.mark.django_db
def test_a_large_file_is_never_in_memory():
    decided(alice(), Training.DENY)
    turn = answered(alice())
    Message.objects.bulk_create(
        Message(conversation=turn.conversation, parent=turn.answer, role="user", author=alice(), text="x" * 20_000)
        for _ in range(1_500)
    )
    tracemalloc.start()
    size = sum(len(piece) for piece in portability.document(alice()))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 30_000_000 and most < 12_000_000


def test_no_connection_is_held_between_two_pieces(committed, monkeypatch):
    """Under a server each step is a visit of its own to the database: a slow client holds nothing."""
    monkeypatch.setattr(portability, "PIECE", 200)
    decided(alice(), Training.DENY)
    for _ in range(5):
        answered(alice(), "A question")
    client = AsyncClient()
    client.force_login(alice())

    async def scene() -> tuple[int, list[bool]]:
        answer = await client.post(reverse(DOCUMENT))
        held, pieces = [], 0
        async for _ in answer:
            await asyncio.sleep(0)
            held.append(await database_sync_to_async(_in_transaction)())
            pieces += 1
        return pieces, held

    pieces, held = async_to_sync(scene)()
    assert pieces > 5 and not any(held)


def _in_transaction() -> bool:
    """Whether another connection of the application is in the middle of a transaction, or keeps a cursor open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND usename = current_user AND (state <> 'idle' OR backend_xmin IS NOT NULL)"
        )
        return bool(cursor.fetchone()[0])


# --- Nothing is forgotten -------------------------------------------------------------


def test_every_model_of_a_holding_is_in_the_file_or_withheld_for_a_reason():
    for holding in holdings.all_holdings():
        given = {model for part in holding.parts for model in part.models}
        assert given & set(holding.withheld) == set(), holding.name
        assert set(holding.models) == given | set(holding.withheld), holding.name
        assert all(holding.withheld.values()), holding.name


def names(value: Any) -> set[str]:
    """Every field name in the file; what is within a ledger event's own words is the ledger's to describe."""
    if isinstance(value, dict):
        within = (item for name, item in value.items() if name not in {"detail", "context", "overrides"})
        return set(value) | set().union(*map(names, within))
    return set().union(*map(names, value)) if isinstance(value, list) else set()


@pytest.mark.django_db
def test_every_field_is_described():
    first_cells = re.findall(r"^\| (`.*?) \|", DOCS.read_text(), re.MULTILINE)
    described = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    found = names(exported(settled()))
    assert found - described == set()
    assert described - found == set(), "described, but not there"
