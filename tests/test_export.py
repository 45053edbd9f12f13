"""A person's data as one file: everything that is theirs and visible, nothing of anybody else, in pieces."""

import asyncio
import json
import re
from html import unescape

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.urls import reverse
from django.utils.text import capfirst

from accounts.models import User
from chat.models import Conversation, Message
from chat.turns import acts, conversations
from privacy import portability
from privacy.models import Event
from privacy.vocabulary import Act, Training
from tests.exporting import DOCUMENT, EXPORT, exported, fetched, read
from tests.leaving import settled
from tests.people import alice, bob, charlie, wendy, will, works
from tests.scenes import answered, asked_in, decided, published


def talked(user: User) -> Conversation:
    """A conversation of two questions, with a second branch."""
    turn = answered(user, "What is a promise?", "One that is kept.")
    assert turn.question
    other = acts.edit(user, message=turn.question.public_id, text="What is a vow?")
    Message.objects.filter(pk=other.answer.pk).update(state="complete", text="A promise with candles.")
    return turn.conversation


@pytest.mark.django_db
@pytest.mark.usefixtures("socket_sees_rows")
class TestFile:
    def test_is_json_under_a_name_with_its_day_and_kept_by_no_cache(self, client):
        client.force_login(alice())
        answer = client.post(reverse(DOCUMENT))
        assert answer.status_code == 200 and answer["content-type"] == "application/json"
        assert re.fullmatch(
            r'attachment; filename="parley-export-\d{4}-\d\d-\d\d\.json"', answer["content-disposition"]
        )
        assert "no-store" in answer["cache-control"]
        said = json.loads(async_to_sync(read)(answer))
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
        person = settled()
        said = exported(person)
        assert {one["kind"] for one in said["workspaces"]} == {"personal", "work"}
        assert [one["role"] for one in said["workspaces"]] == ["owner", "member"]
        assert (said["standing"]["training"], said["standing"]["keep_history"]) == ("allow", True)
        assert (said["notices"][0]["terms"], said["notices"][0]["put_off"]) == ("2", 1)
        assert said["reminders"][0]["days_before"] == 3
        assert len(said["messages_counted"]) == 2
        events = {event["act"]: event for event in said["ledger"]["events"]}
        chosen = {"terms_accepted", "training_allowed", "history_kept", "exchange_allowed"}
        assert set(events) == chosen | {"notice_shown", "deferred"}
        assert said["ledger"]["subject"] == str(person.subject.key)
        assert events["training_allowed"]["hash"] == Event.objects.get(act=Act.TRAINING_ALLOWED).hash

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
        assert len(json.loads(fetched(client)[1])["conversations"]) == 1

    def test_strangers_are_sent_to_sign_in(self, client):
        for send in (client.get, client.post):
            assert send(reverse(EXPORT))["location"].startswith("/account/login/")
        assert client.post(reverse(DOCUMENT))["location"].startswith("/account/login/")

    def test_one_at_a_time(self, client):
        client.force_login(alice())
        first = client.post(reverse(DOCUMENT))
        second = client.post(reverse(DOCUMENT))
        assert second.status_code == 429 and "being made already" in second.content.decode()
        client.force_login(bob())
        assert fetched(client)[0] == 200  # others do not wait
        async_to_sync(read)(first)
        client.force_login(alice())
        assert fetched(client)[0] == 200

    def test_who_gives_up_in_the_middle_can_begin_again(self, client, monkeypatch):
        monkeypatch.setattr(portability, "PIECE", 1)
        person = alice()
        client.force_login(person)
        answer = client.post(reverse(DOCUMENT))

        async def give_up() -> None:
            pieces = answer._iterator
            await anext(pieces)
            await pieces.aclose()
            # What it read from ends with it, in this loop, which must not be over before that.
            async with asyncio.timeout(10):
                while await cache.aget(portability._turn(person)):
                    pass

        async_to_sync(give_up)()
        assert fetched(client)[0] == 200

    def test_not_more_than_a_few_times_within_an_hour(self, client):
        client.force_login(alice())
        assert [fetched(client)[0] for _ in range(7)] == [200] * 6 + [429]
        client.force_login(bob())
        assert fetched(client)[0] == 200

    def test_the_page_says_what_is_in_it(self, client):
        client.force_login(alice())
        page = unescape(client.get(reverse(EXPORT)).content.decode())
        for part in portability.parts():
            assert str(capfirst(part.title)) in page
