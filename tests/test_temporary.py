"""Temporary chats: no title, in no list, hidden a day after the last message, never for training; kept on request."""

from datetime import timedelta

import pytest

from accounts import clock
from chat.generation.title import give_title
from chat.models import Conversation, Message
from chat.turns import acts, conversations
from privacy.errors import ConsentRequired
from privacy.vocabulary import RetentionClass, Training
from tests.people import alice, will, works
from tests.privacy_page import text
from tests.scenes import answered, decided
from tests.sockets import talk

pytestmark = pytest.mark.django_db
SECRET = "What shall I give Bob?"


def begun(user=None, workspace=None, said=SECRET) -> Conversation:
    user = user or alice()
    place = workspace or user.personal_workspace
    turn = acts.ask(user, workspace=place.public_id, conversation=None, parent=None, text=said, temporary=True)
    Message.objects.filter(pk=turn.answer.pk).update(state="complete", text="A day out.")
    return fresh(turn.conversation)


def fresh(conversation: Conversation) -> Conversation:
    return Conversation.objects.select_related("workspace__agreed__agreement").get(pk=conversation.pk)


@pytest.fixture
def client(client):
    client.force_login(alice())
    return client


@pytest.fixture
def conversation():
    decided(alice(), Training.ALLOW, keep_history=True)
    return begun()


def test_it_has_no_title_never_trains_and_is_hidden_after_a_day_whatever_was_chosen(conversation, client, move_clock):
    assert (conversation.title, conversation.tag_class) == ("", RetentionClass.TEMPORARY)
    assert conversation.hidden_from == conversation.last_activity_at + timedelta(hours=24)
    assert not Conversation.objects.trainable(clock.now()).exists()
    assert client.get(conversation.get_absolute_url()).status_code == 200
    move_clock(hours=24)
    client.force_login(alice())
    assert client.get(conversation.get_absolute_url()).status_code == 404


def test_it_is_in_no_list_and_the_model_gives_it_no_title(conversation, client, monkeypatch):
    monkeypatch.setattr("chat.generation.title.connections.close_all", lambda: None)
    give_title(conversation.pk)
    assert fresh(conversation).title == ""
    answered(alice(), "Listed")
    for address in ("/chat/", "/privacy/chats/", "/privacy/chats/?class=temporary"):
        page = client.get(address)
        assert str(conversation.public_id) not in page.content.decode() and "Bob" not in text(page)
    assert "Temporary: 1 chat" in text(client.get("/privacy/"))
    said = client.post(
        f"{conversation.get_absolute_url()}rename", {"title": "Bob"}, headers={"accept": "application/json"}
    )
    assert said.status_code == 400 and fresh(conversation).title == ""


def test_a_question_more_counts_the_day_anew_and_stays_temporary(conversation, move_clock):
    move_clock(hours=20)
    acts.ask(
        alice(),
        workspace=alice().personal_workspace.public_id,
        conversation=conversation.public_id,
        parent=None,
        text="And Charlie?",
    )
    one = fresh(conversation)
    assert one.title == "" and one.hidden_from - clock.now() > timedelta(hours=23)


def test_what_was_begun_as_an_ordinary_chat_stays_one(client):
    decided(alice(), Training.DENY)
    held = answered(alice()).conversation
    acts.ask(
        alice(),
        workspace=alice().personal_workspace.public_id,
        conversation=held.public_id,
        parent=None,
        text="More",
        temporary=True,
    )
    assert not fresh(held).temporary


def test_kept_it_has_a_title_and_a_place_in_the_lists_and_never_trains(conversation, client, move_clock):
    client.post(f"{conversation.get_absolute_url()}keep")
    one = fresh(conversation)
    assert (one.title, one.tag_class, one.hidden_from) == (SECRET, RetentionClass.KEPT, None)
    assert one.tag_reason == "temporary" and not Conversation.objects.trainable(clock.now()).exists()
    assert SECRET in text(client.get("/chat/")) and SECRET in text(client.get("/privacy/chats/"))
    page = client.get(conversation.get_absolute_url())
    assert 'class="chat temporary"' not in page.content.decode()
    conversations.let_go(alice(), conversation=conversation.public_id)
    assert fresh(conversation).title == "" and SECRET not in text(client.get("/chat/"))
    move_clock(hours=25)
    assert not Conversation.objects.visible(clock.now()).exists()


def test_letting_it_go_too_late_says_before_that_it_disappears_at_once(conversation, client, move_clock):
    conversations.keep(alice(), conversation=conversation.public_id)
    move_clock(days=3)
    client.force_login(alice())
    assert "Let go, it disappears at once." in text(client.get(conversation.get_absolute_url()))
    assert client.post(f"{conversation.get_absolute_url()}let-go")["location"] == "/chat/"


def test_at_work_it_is_the_same_and_kept_it_follows_the_agreement(client):
    one = begun(will(), works())
    assert one.tag_class == RetentionClass.TEMPORARY and one.hidden_from is not None
    conversations.keep(will(), conversation=one.public_id)
    one = fresh(one)
    assert (one.tag_class, one.hidden_from, one.tag_reason) == (RetentionClass.AGREEMENT, None, "temporary")


def test_the_gate_stands_before_it_as_before_any():
    with pytest.raises(ConsentRequired):
        begun()


def test_the_page_says_what_it_is_before_the_first_word(client):
    decided(alice(), Training.DENY)
    page = client.get("/chat/temporary/")
    assert "hidden 24 hours after its last message" in text(page) and 'class="chat temporary"' in page.content.decode()
    assert "This chat will not stay" not in text(client.get("/chat/"))
    asked = client.post("/chat/ask", {"text": SECRET, "temporary": "on"}, follow=True)
    assert Conversation.objects.get().temporary and "Temporary: gone 24 hours after" in text(asked)
    refused = client.post("/chat/ask", {"text": " ", "temporary": "on"})
    assert refused.status_code == 400 and 'name="temporary" value="on"' in refused.content.decode()


@pytest.mark.usefixtures("socket_sees_rows")
@pytest.mark.parametrize(("said", "begins"), [(True, [True]), (False, [False]), ("on", []), (1, []), (None, [])])
def test_over_the_socket_it_is_yes_or_no(said, begins):
    decided(alice(), Training.DENY)
    place = str(alice().personal_workspace.public_id)
    _, (answer,) = talk(alice(), {"type": "ask", "workspace": place, "text": SECRET, "temporary": said}, expect=1)
    assert answer.get("code") == (None if begins else "bad_frame")
    assert list(Conversation.objects.values_list("temporary", flat=True)) == begins
