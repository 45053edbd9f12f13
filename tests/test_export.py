"""A person's data as one file: everything that is theirs and visible, nothing of anybody else, in pieces."""

import asyncio
import json
import re
import tracemalloc
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import clock
from accounts.models import User
from chat.models import Conversation, Message
from chat.turns import acts, conversations
from privacy import holdings, notices, portability, tagging
from privacy.models import Event, Reminder
from privacy.policy import Schedule, Standing
from privacy.vocabulary import Act, Source, Training
from tests.people import alice, bob, charlie, wendy, will, works
from tests.scenes import answered, asked_in, decided, published

EXPORT = "privacy:export"
DOCS = Path(__file__).resolve().parent.parent / "docs" / "export.md"


def exported(user: User) -> dict[str, Any]:
    return json.loads(b"".join(portability.document(user)))


def fetched(client: Client) -> Any:
    """What the page hands over, read to its end."""
    answer = client.post(reverse(EXPORT))
    if answer.streaming:
        answer.body = async_to_sync(read)(answer)
    return answer


async def read(answer: Any) -> bytes:
    return b"".join([piece async for piece in answer.streaming_content])


def talked(user: User) -> Conversation:
    """A conversation of two questions, with a second branch."""
    turn = answered(user, "What is a promise?", "One that is kept.")
    other = acts.edit(user, message=turn.question.public_id, text="What is a vow?")
    Message.objects.filter(pk=other.answer.pk).update(state="complete", text="A promise with candles.")
    return turn.conversation


@pytest.mark.django_db
@pytest.mark.usefixtures("socket_sees_rows")
class TestFile:
    def test_is_json_under_a_name_with_its_day_and_kept_by_no_cache(self, client):
        client.force_login(alice())
        answer = fetched(client)
        assert answer.status_code == 200 and answer["content-type"] == "application/json"
        assert re.fullmatch(
            r'attachment; filename="parley-export-\d{4}-\d\d-\d\d\.json"', answer["content-disposition"]
        )
        assert "no-store" in answer["cache-control"]
        said = json.loads(answer.body)
        assert (said["format"], said["version"]) == ("parley-export", 1)
        assert said["account"]["email"] == alice().email

    def test_has_every_message_of_every_branch_with_what_applies(self):
        decided(alice(), Training.ALLOW)
        held = talked(alice())
        (said,) = exported(alice())["conversations"]
        assert said["id"] == str(held.public_id) and said["workspace"] == str(alice().personal_workspace.public_id)
        texts = {message["text"]: message for message in said["messages"]}
        assert list(texts) == ["What is a promise?", "One that is kept.", "What is a vow?", "A promise with candles."]
        assert texts["One that is kept."]["parent"] == texts["What is a promise?"]["id"]
        assert texts["What is a vow?"]["parent"] is None
        assert said["shown"] == texts["A promise with candles."]["id"]
        assert (said["tag"]["class"], said["tag"]["reason"], said["tag"]["trains"]) == ("training", "allowed", True)
        assert said["tag"]["hidden_from"] == said["tag"]["trains_until"] == said["tag"]["purge_after"]

    def test_says_what_does_not_train_and_why(self):
        decided(alice(), Training.ALLOW)
        answered(alice())
        decided(alice(), Training.DENY)
        (said,) = exported(alice())["conversations"]
        assert (said["tag"]["trains"], said["tag"]["reason"]) == (False, "denied")
        assert said["tag"]["in_words"] == "You did not allow training."

    def test_has_account_workspaces_answers_notices_reminders_and_evidence(self):
        person = will()
        decided(person, Training.DENY, keep_history=True)
        terms = published()
        form, _ = notices.form_for(person, terms, Source.DIALOG)
        notice = notices.shown(person, terms, form)
        notices.defer(person, notice)
        Reminder.objects.create(user=person, terms=terms, deadline=clock.now(), days=3, message_id="<3@parley>")
        asked_in(person, works())
        said = exported(person)
        assert {one["kind"] for one in said["workspaces"]} == {"personal", "work"}
        assert [one["role"] for one in said["workspaces"]] == ["owner", "member"]
        assert (said["standing"]["training"], said["standing"]["keep_history"]) == ("deny", True)
        assert (said["notices"][0]["terms"], said["notices"][0]["put_off"]) == ("2", 1)
        assert said["reminders"][0]["days_before"] == 3
        assert len(said["messages_counted"]) == 1
        events = {event["act"]: event for event in said["ledger"]["events"]}
        assert set(events) == {"terms_accepted", "training_denied", "history_kept", "notice_shown", "deferred"}
        assert said["ledger"]["subject"] == str(person.subject.key)
        assert events["training_denied"]["hash"] == Event.objects.get(act=Act.TRAINING_DENIED).hash

    def test_names_the_receipts_which_can_be_fetched(self, client):
        decided(alice(), Training.DENY)
        client.force_login(alice())
        (event,) = [one for one in exported(alice())["ledger"]["events"] if one["act"] == "training_denied"]
        path = event["receipt"].split("8000", 1)[1]
        assert client.get(path).json()["dct:identifier"] == event["key"]


@pytest.mark.django_db
class TestOthers:
    def everything(self, user: User) -> str:
        return json.dumps(exported(user))

    def test_nothing_of_anybody_else_is_in_it(self):
        """Not of a colleague in the same workspace, nor of its owner, nor of a stranger."""
        works()
        for person, words in ((will(), "Will's words"), (wendy(), "Wendy's words"), (charlie(), "Charlie's words")):
            decided(person, Training.DENY)
            answered(person, f"{words} at home")
        for person in (will(), wendy()):
            asked_in(person, works(), f"{person.display_name}'s words at work")
        said = self.everything(will())
        assert "Will's words at home" in said and "Will's words at work" in said
        for other in (wendy(), charlie()):
            assert f"{other.display_name}'s words" not in said
            assert other.email not in said and str(other.public_id) not in said
        assert "Wendy's words at work" in self.everything(wendy())

    def test_what_somebody_else_asked_in_ones_chat_and_was_answered_is_theirs(self):
        decided(alice(), Training.DENY)
        turn = answered(alice(), "Alice asks", "and is answered")
        held, add = turn.conversation, Message.objects.create
        question = add(conversation=held, parent=turn.answer, author=bob(), role="user", text="Bob asks")
        reply = add(conversation=held, parent=question, role="assistant", text="Bob is answered")
        again = add(conversation=held, parent=question, author=alice(), role="assistant", text="Bob, once more")
        add(conversation=held, parent=reply, author=alice(), role="user", text="Alice goes on")
        said = self.everything(alice())
        assert "Alice asks" in said and "and is answered" in said and "Alice goes on" in said
        assert "Bob" not in said and str(question.public_id) not in said and str(again.public_id) not in said
        assert "Alice" not in self.everything(bob())

    def test_the_chats_of_a_workspace_that_one_has_left_are_not_in_it(self):
        asked_in(will(), works(), "Written as a member")
        assert "Written as a member" in self.everything(will())
        works().memberships.filter(user=will()).delete()
        assert "Written as a member" not in self.everything(will())


@pytest.mark.django_db
class TestHidden:
    def test_what_is_deleted_or_has_expired_never_appears(self, move_clock):
        decided(alice(), Training.DENY)
        gone, stays = answered(alice(), "To be deleted"), answered(alice(), "To be seen")
        conversations.delete(alice(), conversation=gone.conversation.public_id)
        said = json.dumps(exported(alice()))
        assert "To be seen" in said and "To be deleted" not in said
        assert str(gone.conversation.public_id) not in said
        move_clock(days=31)
        assert Conversation.objects.filter(pk=stays.conversation.pk).exists()  # no sweep has come yet
        assert exported(alice())["conversations"] == []

    def test_what_is_deleted_while_the_file_is_written_ends_there(self, monkeypatch):
        monkeypatch.setattr("chat.parts.MESSAGES", 2)
        monkeypatch.setattr(portability, "PIECE", 1)
        decided(alice(), Training.DENY)
        answered(alice(), "The first")
        second = answered(alice(), "The second")
        pieces, said = portability.document(alice()), b""
        while b"The first" not in said:
            said += next(pieces)
        conversations.delete(alice(), conversation=second.conversation.public_id)
        first, gone = json.loads(said + b"".join(pieces))["conversations"]
        assert [row["text"] for row in first["messages"]] == ["The first", "One that is kept."]
        assert gone["messages"] == []


@pytest.mark.django_db
@pytest.mark.usefixtures("socket_sees_rows")
class TestDoor:
    def test_somebody_whom_the_gate_stops_can_fetch_it(self, client, move_clock):
        decided(alice(), Training.DENY, keep_history=True)
        answered(alice())
        published()
        move_clock(days=31)
        client.force_login(alice())
        refused = client.post(reverse("chat:ask"), {"text": "Let me in"}, headers={"accept": "application/json"})
        assert refused.status_code == 403
        page = client.get(reverse("privacy:choice")).content.decode()
        assert reverse(EXPORT) in page
        assert client.get(reverse(EXPORT)).status_code == 200
        assert len(json.loads(fetched(client).body)["conversations"]) == 1

    def test_strangers_are_sent_to_sign_in(self, client):
        for send in (client.get, client.post):
            assert send(reverse(EXPORT))["location"].startswith("/account/login/")

    def test_one_at_a_time(self, client):
        client.force_login(alice())
        first = client.post(reverse(EXPORT))
        second = client.post(reverse(EXPORT))
        assert second.status_code == 429 and "being made already" in second.content.decode()
        client.force_login(bob())
        assert fetched(client).status_code == 200  # others do not wait
        async_to_sync(read)(first)
        client.force_login(alice())
        assert fetched(client).status_code == 200

    def test_who_gives_up_in_the_middle_can_begin_again(self, client, monkeypatch):
        monkeypatch.setattr(portability, "PIECE", 1)
        client.force_login(alice())
        answer = client.post(reverse(EXPORT))

        async def give_up() -> None:
            pieces = answer._iterator
            await anext(pieces)
            await pieces.aclose()

        async_to_sync(give_up)()
        assert fetched(client).status_code == 200

    def test_not_more_than_a_few_times_within_an_hour(self, client):
        client.force_login(alice())
        assert [fetched(client).status_code for _ in range(7)] == [200] * 6 + [429]
        client.force_login(bob())
        assert fetched(client).status_code == 200

    def test_the_page_says_what_is_in_it(self, client):
        client.force_login(alice())
        page = unescape(client.get(reverse(EXPORT)).content.decode())
        for part in portability.parts():
            assert str(part.title) in page


# --- How it is made -----------------------------------------------------------------


def queries(user: User) -> int:
    with CaptureQueriesContext(connection) as seen:
        b"".join(portability.document(user))
    return len(seen)


@pytest.mark.django_db
def test_thirty_conversations_take_as_many_queries_as_one():
    for person, number in ((alice(), 1), (bob(), 30)):
        decided(person, Training.DENY)
        for _ in range(number):
            answered(person)
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
        answer = await client.post(reverse(EXPORT))
        held, pieces = [], 0
        async for _ in answer:
            await asyncio.sleep(0)
            held.append(await portability.database_sync_to_async(_in_transaction)())
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
    TestFile().test_has_account_workspaces_answers_notices_reminders_and_evidence()
    first_cells = re.findall(r"^\| (`.*?) \|", DOCS.read_text(), re.MULTILINE)
    described = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    found = names(exported(will()))
    assert found - described == set()
    assert described - found == set(), "described, but not there"
