"""The socket: what it takes, who it serves and for how long, and what it costs others."""

import asyncio
import logging
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync

from accounts.models import User
from chat import bounds, desk
from chat.consumers import ChatSocket
from chat.journal import control
from chat.journal.reader import reader
from chat.models import Message
from privacy.vocabulary import Training
from tests.people import alice, charlie
from tests.scenes import answered, decided
from tests.sockets import goodbye, off_loop, opened, signed_in, socket_of, talk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("socket_sees_rows")]


def test_asking_twice_with_one_request_makes_one_turn(db):
    decided(alice(), Training.DENY)
    frame = {
        "type": "ask",
        "request": str(uuid4()),
        "workspace": str(alice().personal_workspace.public_id),
        "conversation": None,
        "parent": None,
        "text": "Once",
    }
    _, (first, second) = talk(alice(), frame, frame, expect=2)
    assert first["answer"]["id"] == second["answer"]["id"]
    assert Message.objects.filter(role="user").count() == 1


def test_what_somebody_else_has_does_not_exist(db):
    decided(alice(), Training.DENY)
    decided(charlie(), Training.DENY)
    turn = answered(alice())
    answer, question = str(turn.answer.public_id), str(turn.question.public_id)
    frames_ = [
        {"type": "follow", "message": answer},
        {"type": "stop", "message": answer},
        {"type": "regenerate", "message": answer, "request": None},
        {"type": "edit", "message": question, "text": "mine"},
        {
            "type": "ask",
            "workspace": str(alice().personal_workspace.public_id),
            "conversation": None,
            "text": "in your room",
        },
    ]
    _, errors = talk(charlie(), *frames_, expect=len(frames_))
    assert {error["code"] for error in errors} == {"not_found"}
    assert Message.objects.count() == 2


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        "[]",
        "null",
        '"ask"',
        '{"type": []}',
        '{"type": "nothing"}',
        '{"type": "ask"}',
        '{"type": "ask", "workspace": 1, "text": "x"}',
        '{"type": "ask", "workspace": "not-a-uuid", "text": "x"}',
        '{"type": "edit", "message": "00000000-0000-0000-0000-000000000000", "text": {"a": 1}}',
        '{"type": "follow", "message": "00000000-0000-0000-0000-000000000000", "after": "one-two"}',
        '{"type": "follow", "message": "00000000-0000-0000-0000-000000000000", "after": 7}',
        '{"type": "stop", "message": null}',
        '{"type": "stop", "message": "' + "0" * 600_000 + '"}',
        "[" * 100_000,
        b"\xff\xfe\x00",
    ],
)
def test_nonsense_gets_an_error_and_the_socket_stays(db, frame):
    decided(alice(), Training.DENY)
    follow = {"type": "follow", "message": str(answered(alice()).answer.public_id)}
    _, (error, done) = talk(alice(), frame, follow, expect=2)
    assert (error["type"], error["code"], done["type"]) == ("error", "bad_frame", "done")


@pytest.mark.parametrize(
    ("text", "code"), [("", "bad_text"), (" \n\t", "bad_text"), ("a\x00b", "bad_text"), ("x" * 100_001, "too_long")]
)
def test_texts_that_cannot_be_sent_say_why(db, text, code):
    decided(alice(), Training.DENY)
    frame = {"type": "ask", "workspace": str(alice().personal_workspace.public_id), "text": text}
    _, (error,) = talk(alice(), frame, expect=1)
    assert error["code"] == code and not Message.objects.exists()


# --- What one person may take ---------------------------------------------------


def test_one_person_has_so_many_sockets_and_others_have_theirs() -> None:
    person, stranger = alice(), charlie()
    client = signed_in(person)

    async def scene() -> None:
        sockets = [await off_loop(lambda: socket_of(client, person)) for _ in range(bounds.SOCKETS)]
        for socket in sockets:
            assert (await socket.connect())[0]
        late = await off_loop(lambda: socket_of(client, person))
        await late.connect()
        assert await goodbye(late) == 1013
        await late.disconnect()
        async with opened(stranger):
            pass
        for socket in sockets:
            await socket.disconnect()
        async with opened(person, client):
            assert bounds._open == {person.pk: 1}

    async_to_sync(scene)()
    assert not bounds._open


def test_a_flood_of_frames_ends_the_connection() -> None:
    person = alice()

    async def scene() -> int:
        async with opened(person) as socket:
            for _ in range(bounds.BURST + 10):
                await socket.send_to(text_data="{}")
            return await goodbye(socket)

    assert async_to_sync(scene)() == 1013


def test_the_bucket_fills_again() -> None:
    now = 0.0
    bucket = bounds.Bucket(lambda: now)
    assert [bucket.take() for _ in range(bounds.BURST + 1)] == [True] * bounds.BURST + [False]
    now = 1.0
    assert [bucket.take() for _ in range(21)] == [True] * 20 + [False]
    now = 10_000.0
    assert sum(bucket.take() for _ in range(1000)) == bounds.BURST


def test_a_command_is_asked_about_once_however_many_tabs_hear_it() -> None:
    decided(alice(), Training.DENY)
    turn = answered(alice())
    person, stranger = alice(), charlie()
    asked: list[tuple[User, str]] = []
    news = desk.news

    def counted(user: User, command: control.Command) -> Any:
        asked.append((user, command.kind))
        return news(user, command)

    async def scene() -> None:
        client = await off_loop(lambda: signed_in(person))
        async with opened(person, client) as one, opened(person, client) as two, opened(stranger) as elsewhere:
            changed = {"user": person.pk, "conversation": turn.conversation.public_id, "what": "title"}
            await off_loop(lambda: control.publish("stop", answer=uuid4()))
            await off_loop(lambda: control.publish("changed", **changed))
            heard = [await socket.receive_json_from(timeout=5) for socket in (one, two)]
            assert [frame["type"] for frame in heard] == ["changed"] * 2
            assert await elsewhere.receive_nothing(0.1)

    with patch.object(desk, "news", counted):
        async_to_sync(scene)()
    assert [(user.pk, kind) for user, kind in asked] == [(person.pk, "changed")]


# --- However it ends, nothing is left ---------------------------------------------


async def reads_commands() -> None:
    """Wait until the reader knows from which command on it listens; or until the socket has been closed already."""
    for _ in range(500):
        if control.KEY in reader()._last or not reader()._subscribers:
            return
        await asyncio.sleep(0.01)


async def nobody_listens() -> bool:
    """Whether the reader has no subscriber, once what was cancelled has had its turn."""
    await asyncio.sleep(0)
    return not reader()._subscribers and not bounds._open


@pytest.mark.parametrize("broken", ["gate", "begin", "ended", "news", "all_ended"])
def test_a_fault_closes_the_socket_to_be_resumed_and_leaves_nothing(broken: str, caplog: Any) -> None:
    decided(alice(), Training.DENY)
    turn = answered(alice())
    person = alice()
    workspace = str(person.personal_workspace.public_id)

    async def scene() -> None:
        client = await off_loop(lambda: signed_in(person))
        socket = await off_loop(lambda: socket_of(client, person))
        await socket.connect()
        await socket.send_json_to({"type": "follow", "message": str(turn.answer.public_id)})
        await socket.send_json_to({"type": "ask", "workspace": workspace, "text": "Hello"})
        changed = {"user": person.pk, "conversation": turn.conversation.public_id, "what": "title"}
        await reads_commands()
        await off_loop(lambda: control.publish("changed", **changed))
        assert await goodbye(socket) == 1013
        assert not reader()._subscribers
        await socket.send_json_to({"type": "ask", "workspace": workspace, "text": "Hello again"})
        assert await socket.receive_nothing(0.1)
        await socket.disconnect()
        assert await nobody_listens()

    with patch.object(desk, broken, side_effect=RuntimeError("out of order")):
        async_to_sync(scene)()
    assert [record.levelname for record in caplog.records if record.name == "chat.consumers"] == ["ERROR"]


@pytest.mark.parametrize("trouble", [ConnectionResetError(), RuntimeError("after sending 'websocket.close'")])
def test_a_line_that_breaks_is_no_fault(trouble: Exception, caplog: Any) -> None:
    """The server raises at every send after the client vanished: the pump ends, and no log is written."""
    person = alice()
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    greeted = asyncio.Event()
    tried: list[str] = []

    async def send(message: dict[str, Any]) -> None:
        tried.append(message["type"])
        if greeted.is_set():
            raise trouble
        if message["type"] == "websocket.send":
            greeted.set()

    async def scene() -> None:
        scope = (await off_loop(lambda: socket_of(signed_in(person), person))).scope
        await incoming.put({"type": "websocket.connect"})
        serving = asyncio.create_task(ChatSocket.as_asgi()(scope, incoming.get, send))
        await asyncio.wait_for(greeted.wait(), 5)
        for _ in range(20):
            await off_loop(lambda: control.publish("standing", user=person.pk))
        await asyncio.sleep(0.3)
        assert tried.count("websocket.send") == 2
        await incoming.put({"type": "websocket.disconnect", "code": 1006})
        await asyncio.wait_for(serving, 5)
        assert await nobody_listens()

    with caplog.at_level(logging.WARNING):
        async_to_sync(scene)()
    assert [record for record in caplog.records if record.name.startswith(("chat", "asyncio"))] == []


def test_a_server_that_gives_up_leaves_nothing() -> None:
    person = alice()

    async def scene() -> None:
        socket = await off_loop(lambda: socket_of(signed_in(person), person))
        await socket.connect()
        await socket.receive_json_from(timeout=5)
        socket.future.cancel()
        await asyncio.wait([socket.future], timeout=5)
        assert await nobody_listens()

    async_to_sync(scene)()
