"""An open socket serves a person only as long as a page would: their session, their account, their workspaces."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from accounts import clock
from accounts.models import Membership, User, Workspace
from chat.journal import connection as valkey
from chat.journal import control, keys
from chat.models import Message
from chat.turns import effects
from privacy.vocabulary import Training
from tests.people import PASSWORD, alice, stella, wendy, will, works
from tests.scenes import answered, asked_in, decided
from tests.sockets import goodbye, off_loop, opened, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("socket_sees_rows")]
NEW_PASSWORD = {"oldpassword": PASSWORD, "password1": "another-fine-1", "password2": "another-fine-1"}


def sign_out(client: Client) -> None:
    client.post(reverse("account_logout"))


def change_password(client: Client) -> None:
    assert signed_in(alice()).post(reverse("account_change_password"), NEW_PASSWORD).status_code == 302


def switch_off(client: Client) -> None:
    User.objects.filter(pk=alice().pk).update(is_active=False)


def grow_old(client: Client) -> None:
    Session.objects.update(expire_date=clock.now() - timedelta(days=1))


ENDS = [sign_out, change_password, switch_off, grow_old]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("act", ["ask", "stop", "follow", "regenerate"])
def test_no_act_is_done_for_a_session_that_has_ended(end: Callable[[Client], None], act: str) -> None:
    decided(alice(), Training.DENY)
    turn = answered(alice())
    client = signed_in(alice())
    frame = {
        "type": act,
        "message": str(turn.answer.public_id),
        "workspace": str(alice().personal_workspace.public_id),
        "text": "Am I still here?",
    }

    async def scene() -> int:
        async with opened(alice_now, client) as socket:
            await off_loop(lambda: end(client))
            await socket.send_json_to(frame)
            return await goodbye(socket)

    alice_now, before = alice(), Message.objects.count()
    assert async_to_sync(scene)() == 4401
    assert Message.objects.count() == before


@pytest.mark.parametrize("end", ENDS)
def test_word_of_an_ended_session_closes_its_sockets_and_no_other(end: Callable[[Client], None]) -> None:
    decided(alice(), Training.DENY)
    turn = answered(alice())
    person, one, other = alice(), signed_in(alice()), signed_in(alice())

    async def scene() -> None:
        async with opened(person, one) as ended, opened(person, other) as stays:
            await off_loop(lambda: end(one))
            await off_loop(lambda: control.publish("signed_out", user=person.pk))
            assert await goodbye(ended) == 4401
            if end is sign_out:  # the others end all sessions
                await stays.send_json_to({"type": "follow", "message": str(turn.answer.public_id)})
                assert (await stays.receive_json_from(timeout=5))["type"] == "done"
            else:
                assert await goodbye(stays) == 4401

    async_to_sync(scene)()


def written(answer: Message, step: str, text: str) -> None:
    valkey.plain().xadd(keys.key(answer.public_id), {keys.TEXT: text}, id=step)


def test_who_left_a_workspace_hears_no_more_of_its_answers() -> None:
    decided(will(), Training.DENY)
    workspace = works()
    turn = asked_in(will(), workspace)
    person = will()
    follow = {"type": "follow", "message": str(turn.answer.public_id), "after": None}

    async def scene() -> None:
        async with opened(person) as socket:
            await socket.send_json_to(follow)
            await off_loop(lambda: written(turn.answer, "1-1", "while a member"))
            assert (await socket.receive_json_from(timeout=5))["text"] == "while a member"
            await off_loop(Membership.objects.filter(user=person, workspace=workspace).delete)
            await off_loop(lambda: control.publish("left", user=person.pk, workspace=workspace.pk))
            gone = await socket.receive_json_from(timeout=5)
            assert gone == {"type": "gone", "conversation": str(turn.conversation.public_id)}
            await off_loop(lambda: written(turn.answer, "1-2", "among members"))
            await socket.send_json_to(follow)
            assert (await socket.receive_json_from(timeout=5))["code"] == "not_found"
            assert await socket.receive_nothing(0.3)

    try:
        async_to_sync(scene)()
    finally:
        keys.forget([turn.answer.public_id])


def test_who_stays_a_member_goes_on_hearing() -> None:
    decided(will(), Training.DENY)
    turn = asked_in(will(), works())
    person = will()

    async def scene() -> None:
        async with opened(person) as socket:
            await socket.send_json_to({"type": "follow", "message": str(turn.answer.public_id)})
            await off_loop(lambda: control.publish("left", user=person.pk, workspace=0))
            await off_loop(lambda: written(turn.answer, "1-1", "still here"))
            assert (await socket.receive_json_from(timeout=5))["text"] == "still here"

    try:
        async_to_sync(scene)()
    finally:
        keys.forget([turn.answer.public_id])


# --- Who sends the word ---------------------------------------------------------


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What is published, as after a commit of each statement, with the number of sessions there were at that moment."""
    monkeypatch.setattr(effects, "after_commit", lambda effect: effect())
    words: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(
        control, "publish", lambda kind, **fields: words.append((kind, fields | {"left": Session.objects.count()}))
    )
    return words


@pytest.mark.parametrize("door", ["account_logout", "admin:logout"])
def test_signing_out_sends_word_once_the_session_is_gone(said: list[Any], door: str) -> None:
    client = signed_in(stella())
    assert client.post(reverse(door)).status_code == 302
    assert said == [("signed_out", {"user": stella().pk, "left": 0})]


@pytest.mark.parametrize("door", ["account_change_password", "admin:password_change"])
def test_a_new_password_sends_word(said: list[Any], door: str) -> None:
    client = signed_in(stella())
    assert client.post(reverse(door), NEW_PASSWORD).status_code == 302
    assert [(kind, fields["user"]) for kind, fields in said] == [("signed_out", stella().pk)]


def test_staff_switching_somebody_off_sends_word(said: list[Any]) -> None:
    person, client = alice(), signed_in(stella())
    page = reverse("admin:accounts_user_change", args=[person.pk])
    form = {"locale": "en", "time_zone": "UTC", "date_of_birth": str(person.date_of_birth)}
    form |= inlines("memberships", "emailaddress_set")
    assert client.post(page, form | {"is_active": "on"}).status_code == 302
    assert said == []
    assert client.post(page, form).status_code == 302
    assert [(kind, fields["user"]) for kind, fields in said] == [("signed_out", person.pk)]
    person.refresh_from_db()
    assert not person.is_active


def test_staff_taking_a_membership_away_sends_word(said: list[Any]) -> None:
    workspace: Workspace = works()
    will()
    rows = list(workspace.memberships.order_by("pk"))
    form: dict[str, Any] = {"name": workspace.name, "overrides": "{}"}
    form |= {"memberships-TOTAL_FORMS": len(rows), "memberships-INITIAL_FORMS": len(rows)}
    for index, row in enumerate(rows):
        fields = {"id": row.pk, "workspace": workspace.pk, "user": row.user_id, "role": row.role}
        form |= {f"memberships-{index}-{name}": value for name, value in fields.items()}
        if row.user == will():
            form[f"memberships-{index}-DELETE"] = "on"
    page = reverse("admin:accounts_workspace_change", args=[workspace.pk])
    assert signed_in(stella()).post(page, form).status_code == 302
    assert [(kind, fields["user"], fields["workspace"]) for kind, fields in said] == [("left", will().pk, workspace.pk)]
    assert list(workspace.memberships.values_list("user", flat=True)) == [wendy().pk]


def inlines(*names: str) -> dict[str, Any]:
    return {f"{name}-{count}_FORMS": 0 for name in names for count in ("TOTAL", "INITIAL")}
