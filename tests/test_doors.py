"""Every door against the written list (tests/doors.py): none is missing there, and each behaves as written."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from chat.errors import NotPossible
from chat.frames import _INCOMING
from chat.models import Message
from chat.routing import sockets
from chat.turns import acts
from privacy import expiry
from privacy.errors import ConsentRequired
from privacy.vocabulary import Training
from tests.doors import CHAT, DOORS, FRAMES, GATED, METHODS, OPEN, OURS, SOCKETS
from tests.people import alice, bob
from tests.scenes import answered, decided, published
from tests.sockets import talk

ROOT = Path(__file__).resolve().parent.parent
JSON = {"accept": "application/json"}


def patterns(resolver: URLResolver | None = None, above: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the whole product, with its pattern."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = above + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, route)
        else:
            yield route, entry


ROUTES = dict(patterns())
TURNS = sorted(route for route, methods in CHAT.items() if GATED in methods.values())


# --- Nothing is missing on the list ------------------------------------------------


def test_every_address_is_on_the_list_and_nothing_else():
    assert set(ROUTES) - set(DOORS) == set(), "written nowhere: add them to tests/doors.py, gated or open"
    assert set(DOORS) - set(ROUTES) == set(), "written, but there are no such addresses"


def test_no_address_is_there_twice():
    """The second would never be reached under its address, and be hidden from this list."""
    assert len(list(patterns())) == len(ROUTES)


def test_every_frame_and_socket_is_on_the_list():
    assert set(_INCOMING) == set(FRAMES)
    assert {str(entry.pattern) for entry in sockets} == SOCKETS


def test_every_view_of_the_chat_says_what_it_is():
    for route, methods in CHAT.items():
        expected = "gated" if GATED in methods.values() else "open"
        assert getattr(ROUTES[route].callback, "gate", None) == expected, route


def test_turns_begin_in_one_place():
    """Whoever calls `begin_turn` is a door; they stand in chat/turns/acts.py, each tried below."""
    callers = set()
    for room in ("accounts", "privacy", "chat", "config"):
        for path in (ROOT / room).rglob("*.py"):
            calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
            if any(ast.unparse(call.func).endswith("begin_turn") for call in calls):
                callers.add(str(path.relative_to(ROOT)))
    assert callers == {"chat/turns/acts.py"}


# --- Each behaves as written -------------------------------------------------------


@pytest.fixture
def lapsed(db, client, move_clock):
    """Alice, who has a chat from before, may enter every room of the house, and whose answer is out of date."""
    decided(alice(), Training.DENY, keep_history=True)
    User.objects.filter(pk=alice().pk).update(is_staff=True, is_superuser=True)
    turn = answered(alice())
    Message.objects.filter(pk=turn.answer.pk).update(state="failed", error="broken")
    published()
    move_clock(days=31)
    client.force_login(alice())
    return turn


def address(route: str, turn) -> str:
    """The address of a route, with things of Alice's in the place of its parameters."""
    message = turn.question if route.endswith("/edit") else turn.answer
    values = {"conversation": turn.conversation.public_id, "message": message.public_id, "slug": "2", "size": 1}
    values |= {"pk": 1, "object_id": 1, "content_type_id": 1, "app_label": "privacy", "url": "nowhere"}
    values |= {"token": expiry.address_to_stop(alice()).split("/")[-2]}
    values |= {"uidb36": "1", "key": uuid4(), "review": uuid4(), "workspace": alice().personal_workspace.public_id}
    filled = re.sub(
        r"<(?:\w+:)?(\w+)>", lambda found: str(values[found[1]]), re.sub(r"\(\?P(<\w+>).*?\)", r"\1", route)
    )
    return "/" + filled.replace("^", "").replace("$", "")


def messages() -> list[tuple[int, str]]:
    return list(Message.objects.order_by("pk").values_list("pk", "state"))


def is_refused(answer) -> bool:
    return answer.status_code == 403 and b"consent_required" in answer.content


@pytest.mark.parametrize("route", sorted(DOORS))
def test_no_method_of_any_address_begins_a_turn_without_a_choice(lapsed, client, route):
    before = messages()
    body = {"text": "Let me in", "title": "Let me in", "workspace": str(alice().personal_workspace.public_id)}
    for method in METHODS:
        client.force_login(alice())
        send = getattr(client, method.lower(), None) if method not in ("PUT", "PATCH", "TRACE") else None
        where = address(route, lapsed)
        answer = send(where, body, headers=JSON) if send else client.generic(method, where, headers=JSON)
        written = DOORS[route].get(method)
        assert is_refused(answer) == (written == GATED), f"{method} {route}: {answer.status_code}"
        if route in OURS:
            assert (answer.status_code == 405) == (written is None), f"{method} {route}: {answer.status_code}"
        assert messages() == before, f"{method} {route}"


@pytest.mark.parametrize("route", TURNS)
def test_every_gated_door_says_where_to_choose(lapsed, client, route):
    body = {"text": "Let me in", "workspace": str(alice().personal_workspace.public_id)}
    error = client.post(address(route, lapsed), body, headers=JSON).json()["error"]
    assert set(error) == {"code", "message", "choice_url", "terms", "deadline"}
    assert (error["code"], error["choice_url"], error["terms"]) == ("consent_required", "/privacy/choice/", "2")
    page = client.post(address(route, lapsed), body, headers={"accept": "text/html"})
    assert page.status_code == 403 and "privacy/choice.html" in [template.name for template in page.templates]


@pytest.mark.parametrize("route", TURNS)
def test_every_gated_door_opens_with_one(lapsed, client, route):
    decided(alice(), Training.DENY)
    if not route.endswith("/retry"):
        Message.objects.filter(pk=lapsed.answer.pk).update(state="stopped", error="")
    answer = client.post(address(route, lapsed), {"text": "Let me in"}, headers=JSON)
    assert answer.status_code == 201 and answer.json()["answer"]["state"] == "waiting"


def test_a_page_gets_its_words_back(lapsed, client):
    answer = client.post(reverse("chat:ask"), {"text": "Words that took an hour"})
    assert answer.status_code == 403
    assert "Words that took an hour" in answer.content.decode()


def test_every_act_that_begins_a_turn_asks_the_gate_itself(lapsed):
    """Whatever a door in front of them forgets."""
    before = messages()
    for name in ("regenerate", "retry", "resume"):
        with pytest.raises(ConsentRequired):
            getattr(acts, name)(alice(), message=lapsed.answer.public_id)
    with pytest.raises(ConsentRequired):
        acts.edit(alice(), message=lapsed.question.public_id, text="Let me in")
    for held in (None, lapsed.conversation.public_id):
        with pytest.raises(ConsentRequired):
            workspace = alice().personal_workspace.public_id
            acts.ask(alice(), workspace=workspace, conversation=held, parent=None, text="Let me in")
    assert messages() == before
    with pytest.raises(NotPossible):
        Message.objects.filter(pk=lapsed.answer.pk).update(state="complete")
        acts.resume(alice(), message=lapsed.answer.public_id)


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


@pytest.mark.parametrize(("route", "method"), [("chat/<uuid:conversation>/rename", "post"), ("chat/", "get")])
def test_a_new_door_that_says_nothing_is_shut(lapsed, client, monkeypatch, route, method):
    monkeypatch.delattr(ROUTES[route].callback, "gate")
    knock = {"path": address(route, lapsed), "data": {"title": "x"}, "headers": JSON}
    assert is_refused(getattr(client, method)(**knock))
    decided(alice(), Training.DENY)
    assert getattr(client, method)(**knock).status_code == 200


# --- Other people's things ---------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("route", sorted(route for route in CHAT if "<" in route))
def test_somebody_elses_things_do_not_exist(client, route):
    decided(alice(), Training.DENY)
    decided(bob(), Training.DENY)
    turn = answered(alice())
    client.force_login(bob())
    (parameter,) = ROUTES[route].pattern.converters
    key = turn.conversation.public_id if parameter == "conversation" else turn.answer.public_id
    for given in (key, uuid4()):
        url = "/" + re.sub("<.*>", str(given), route)
        method = client.get if CHAT[route].get("GET") else client.post
        assert method(url, {"text": "x", "title": "x"}).status_code == 404


@pytest.mark.django_db
def test_strangers_are_sent_to_sign_in(client):
    for route in sorted(set(CHAT) - {"", "training/check"}):  # that one has a key of its own
        answer = client.post("/" + re.sub("<.*>", str(uuid4()), route), {"text": "x"})
        assert answer.status_code in (302, 405), route
        assert answer.status_code == 405 or answer["location"].startswith("/account/login/")
    assert not Message.objects.exists()


# --- The socket ----------------------------------------------------------------------


@pytest.mark.usefixtures("socket_sees_rows")
class TestSocket:
    @pytest.mark.parametrize("kind", sorted(kind for kind, written in FRAMES.items() if written == GATED))
    def test_no_gated_frame_begins_a_turn_without_a_choice(self, lapsed, kind):
        before = messages()
        hello, (error,) = talk(alice(), self.frame(kind, lapsed), expect=1)
        assert hello["gate"]["state"] == "stop"
        assert (error["type"], error["code"]) == ("error", "consent_required")
        assert set(error) == {"type", "request", "code", "message", "choice_url", "terms", "deadline"}
        assert (error["choice_url"], error["terms"]) == ("/privacy/choice/", "2")
        assert messages() == before

    @pytest.mark.parametrize("kind", sorted(kind for kind, written in FRAMES.items() if written == GATED))
    def test_with_one_it_does(self, lapsed, kind):
        decided(alice(), Training.DENY)
        if kind != "retry":
            Message.objects.filter(pk=lapsed.answer.pk).update(state="stopped", error="")
        _, (turn, *_) = talk(alice(), self.frame(kind, lapsed), expect=1)
        assert turn["type"] == "turn"

    @pytest.mark.parametrize("kind", sorted(kind for kind, written in FRAMES.items() if written == OPEN))
    def test_what_is_open_stays_so_and_so_does_the_socket(self, lapsed, kind):
        """After a refusal too: what follows it is answered on the same connection."""
        follow = self.frame("follow", lapsed)
        _, heard = talk(alice(), self.frame("ask", lapsed), self.frame(kind, lapsed), follow, expect=2)
        assert heard[0]["code"] == "consent_required"
        assert (heard[1]["type"], heard[1]["state"], heard[1]["text"]) == ("done", "failed", "One that is kept.")

    def frame(self, kind: str, turn) -> dict[str, str | None]:
        return {
            "type": kind,
            "request": str(uuid4()),
            "workspace": str(alice().personal_workspace.public_id),
            "conversation": None,
            "message": str((turn.question if kind == "edit" else turn.answer).public_id),
            "text": "Let me in",
        }
