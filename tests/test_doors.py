"""Every door against a written list: which ones the gate concerns, and that each is shut without a choice."""

from uuid import uuid4

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from chat.frames import _INCOMING as FRAMES
from chat.models import Message
from privacy.vocabulary import Training
from tests.people import alice, bob
from tests.scenes import answered, decided, published
from tests.sockets import talk

GATED = {"chat:ask", "chat:edit", "chat:regenerate", "chat:retry", "chat:resume"}
OPEN = {
    *("chat:home", "chat:new", "chat:conversation", "chat:why", "chat:stop", "chat:branch"),
    *("chat:rename", "chat:delete", "chat:undelete"),
}
GATED_FRAMES = {"ask", "edit", "regenerate", "retry", "continue"}
OPEN_FRAMES = {"stop", "follow", "unfollow"}


def patterns(app: str) -> dict[str, URLPattern]:
    """Every URL of one app by its name."""

    def walk(resolver: URLResolver, namespace: str):
        for entry in resolver.url_patterns:
            if isinstance(entry, URLResolver):
                yield from walk(entry, entry.app_name or namespace)
            elif namespace == app:
                yield f"{app}:{entry.name}", entry

    return dict(walk(get_resolver(), ""))


def test_every_chat_url_is_on_the_list():
    assert set(patterns("chat")) == GATED | OPEN


def test_every_gated_view_says_so():
    for name, pattern in patterns("chat").items():
        marked = getattr(pattern.callback, "gate", None)
        assert marked == "gated" if name in GATED else marked in {"open", None}, name


def test_every_frame_is_on_the_list():
    assert set(FRAMES) == GATED_FRAMES | OPEN_FRAMES


@pytest.fixture
def lapsed(db, client, move_clock):
    """Alice, who has a chat from before, and whose answer is out of date."""
    decided(alice(), Training.DENY, keep_history=True)
    turn = answered(alice())
    Message.objects.filter(pk=turn.answer.pk).update(state="failed", error="broken")
    published()
    move_clock(days=31)
    client.force_login(alice())
    return turn


def address(name: str, turn) -> str:
    if name == "chat:ask":
        return reverse(name)
    return reverse(name, args=[(turn.question if name == "chat:edit" else turn.answer).public_id])


@pytest.mark.parametrize("name", sorted(GATED))
@pytest.mark.parametrize("method", ["post", "get", "put", "patch", "delete", "head", "options"])
def test_no_gated_door_opens_without_a_choice(lapsed, client, name, method):
    before = Message.objects.count()
    body = {"text": "Let me in", "workspace": alice().personal_workspace.public_id}
    answer = getattr(client, method)(address(name, lapsed), body, headers={"accept": "application/json"})
    assert answer.status_code == (403 if method == "post" else 405)
    if method == "post":
        error = answer.json()["error"]
        assert (error["code"], error["choice_url"], error["terms"]) == ("consent_required", "/privacy/choice/", "2")
    assert Message.objects.count() == before
    lapsed.answer.refresh_from_db()
    assert lapsed.answer.state == "failed"


def test_a_page_gets_its_words_back(lapsed, client):
    answer = client.post(reverse("chat:ask"), {"text": "Words that took an hour"})
    assert answer.status_code == 403
    assert "Words that took an hour" in answer.content.decode()


def test_reading_deleting_and_settings_stay_open(lapsed, client):
    conversation = lapsed.conversation.public_id
    for name, args in (("chat:conversation", [conversation]), ("chat:why", [conversation]), ("chat:new", [])):
        assert client.get(reverse(name, args=args)).status_code == 200
    for name in ("privacy:settings", "privacy:choice", "accounts:profile"):
        assert client.get(reverse(name)).status_code == 200
    assert client.post(reverse("chat:rename", args=[conversation]), {"title": "Mine"}).status_code == 302
    assert client.post(reverse("chat:branch", args=[lapsed.answer.public_id])).status_code == 302
    assert client.post(reverse("chat:delete", args=[conversation])).status_code == 302
    assert client.post(reverse("account_logout")).status_code == 302


def test_a_new_door_that_says_nothing_is_shut(lapsed, client, monkeypatch):
    monkeypatch.delattr(patterns("chat")["chat:rename"].callback, "gate")
    answer = client.post(
        reverse("chat:rename", args=[lapsed.conversation.public_id]),
        {"title": "x"},
        headers={"accept": "application/json"},
    )
    assert answer.status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted((GATED | OPEN) - {"chat:home", "chat:new", "chat:ask"}))
def test_somebody_elses_things_do_not_exist(client, name):
    decided(alice(), Training.DENY)
    decided(bob(), Training.DENY)
    turn = answered(alice())
    client.force_login(bob())
    pattern = patterns("chat")[name]
    key = turn.conversation.public_id if "conversation" in pattern.pattern.converters else turn.answer.public_id
    for given in (key, uuid4()):
        url = reverse(name, args=[given])
        method = client.get if name in {"chat:conversation", "chat:why"} else client.post
        assert method(url, {"text": "x", "title": "x"}).status_code == 404


@pytest.mark.django_db
def test_strangers_are_sent_to_sign_in(client):
    for name in sorted((GATED | OPEN) - {"chat:home"}):
        kwargs = {key: uuid4() for key in patterns("chat")[name].pattern.converters}
        answer = client.post(reverse(name, kwargs=kwargs), {"text": "x"})
        assert answer.status_code in (302, 405), name
        assert answer.status_code == 405 or answer["location"].startswith("/account/login/")
    assert not Message.objects.exists()


@pytest.mark.usefixtures("socket_sees_rows")
class TestSocket:
    @pytest.mark.parametrize("kind", sorted(GATED_FRAMES))
    def test_no_gated_frame_begins_a_turn_without_a_choice(self, lapsed, kind):
        before = Message.objects.count()
        message = lapsed.question if kind == "edit" else lapsed.answer
        frame = {
            "type": kind,
            "request": str(uuid4()),
            "workspace": str(alice().personal_workspace.public_id),
            "conversation": None,
            "message": str(message.public_id),
            "text": "Let me in",
        }
        hello, (error,) = talk(alice(), frame, expect=1)
        assert hello["gate"]["state"] == "stop"
        assert (error["type"], error["code"], error["request"]) == ("error", "consent_required", frame["request"])
        assert Message.objects.count() == before

    def test_reading_stays_open(self, lapsed):
        _, (done,) = talk(alice(), {"type": "follow", "message": str(lapsed.answer.public_id)}, expect=1)
        assert (done["type"], done["state"], done["text"]) == ("done", "failed", "One that is kept.")
