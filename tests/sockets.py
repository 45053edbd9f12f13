"""Open sockets of the tests: signed in by a real session, within the test's own transaction."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client, TestCase

from accounts.models import User
from accounts.sessions import SessionStore
from chat.consumers import ChatSocket
from chat.watch import watch


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def session_of(client: Client) -> SessionStore:
    session = SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)
    session.load()
    session.get("loaded")  # as the handshake leaves it
    return session


def socket_of(client: Client, user: User) -> WebsocketCommunicator:
    socket = WebsocketCommunicator(ChatSocket.as_asgi(), "/socket/")
    socket.scope |= {"user": user, "session": session_of(client)}
    return socket


@asynccontextmanager
async def opened(user: User, client: Client | None = None) -> AsyncIterator[WebsocketCommunicator]:
    """An open socket of `user`, greeted; closed at the end."""
    socket = await off_loop(lambda: socket_of(client or signed_in(user), user))
    assert (await socket.connect())[0]
    socket.hello = await socket.receive_json_from(timeout=5)
    try:
        yield socket
    finally:
        await socket.disconnect()


async def off_loop(act: Callable[[], Any]) -> Any:
    """What touches the database, in the thread that holds the test's transaction."""
    return await sync_to_async(act)()


async def goodbye(socket: WebsocketCommunicator) -> int:
    """The code that the socket is closed with; frames that come before are passed over."""
    while True:
        message = await socket.receive_output(timeout=5)
        if message["type"] == "websocket.close":
            return int(message["code"])


def talk(user: User, *frames: dict[str, Any] | str | bytes, expect: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Open a socket as `user`, send frames, and return what comes back until `expect` frames (hello apart) came."""

    async def scene() -> tuple[dict[str, Any], list[dict[str, Any]]]:
        async with opened(user) as socket:
            for frame in frames:
                if isinstance(frame, dict):
                    await socket.send_json_to(frame)
                else:
                    text, data = (frame, None) if isinstance(frame, str) else (None, frame)
                    await socket.send_to(text_data=text, bytes_data=data)
            heard: list[dict[str, Any]] = []
            while len(heard) < expect:
                frame = await socket.receive_json_from(timeout=5)
                if frame["type"] != "changed":
                    heard.append(frame)
            return socket.hello, heard

    return async_to_sync(scene)()


# --- Word of the gate ------------------------------------------------------------


async def told(socket: WebsocketCommunicator) -> dict[str, Any]:
    """What the next frame says of the gate."""
    frame = await socket.receive_json_from(timeout=5)
    assert frame["type"] == "gate", frame
    gate: dict[str, Any] = frame["gate"]
    return gate


async def silent(*sockets: WebsocketCommunicator) -> None:
    quiet = await asyncio.gather(*(socket.receive_nothing(0.25) for socket in sockets))
    assert all(quiet), "somebody was told who is not concerned, or twice"


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 — what is waited for knows of no event
            await asyncio.sleep(0.01)


async def watching() -> None:
    """The first look around is over: what is told from here on has a cause of its own."""
    await eventually(lambda: watch()._moments is not None and not watch()._unsure)


async def done(act: Callable[[], Any]) -> Any:
    """Something is done elsewhere, with the word that goes out after its commit."""
    await watching()

    def act_and_send() -> Any:
        with TestCase.captureOnCommitCallbacks(execute=True):
            return act()

    return await off_loop(act_and_send)
