"""The socket: frames to calls, events to frames. It holds no rule and no query."""

import asyncio
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import orjson
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from accounts.errors import NotFound
from chat import desk, frames
from chat.errors import Missing, Refused
from chat.frames import Again, Ask, Edit, Follow, Frame, Incoming, Stop, Unfollow
from chat.journal.control import Command
from chat.journal.keys import Step
from chat.journal.reader import Event, Piece, reader
from privacy.errors import ConsentRequired
from privacy.middleware import consent_error

P = ParamSpec("P")
R = TypeVar("R")
logger = logging.getLogger(__name__)

MOST_WAITING = 2_000  # events that a slow client may be behind before it is sent away, to resume later
SIGNED_OUT, TRY_AGAIN = 4401, 1013


class ChatSocket(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        self.user = self.scope["user"]
        await self.accept()
        if not self.user.is_authenticated:
            await self.close(SIGNED_OUT)
            return
        self.events: asyncio.Queue[Event] = asyncio.Queue(MOST_WAITING)
        self.subscriber = reader().join(self._hear)
        self.pump = asyncio.create_task(self._pump())
        await self._send(frames.hello(await _call(desk.gate, self.user)))

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "pump"):
            reader().leave(self.subscriber)
            self.pump.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            await self._act(frames.parse(text_data if text_data is not None else bytes_data))
        except ConsentRequired as refused:
            await self._send({"type": "error", "request": frames.request_of(text_data), **consent_error(refused)})
        except NotFound:
            await self._send(frames.error(Missing(), frames.request_of(text_data)))
        except Refused as refused:
            await self._send(frames.error(refused, frames.request_of(text_data)))

    async def _act(self, frame: Incoming) -> None:
        match frame:
            case Ask() | Edit() | Again():
                turn = await _call(desk.begin, self.user, frame)
                await self._send(turn)
                await self._follow(turn["answer"]["id"], None)
            case Stop():
                await _call(desk.stop, self.user, frame.message)
            case Follow():
                ended = await _call(desk.ended, self.user, frame.message)
                if ended:
                    await self._send(ended)
                else:
                    await self._follow(str(frame.message), frame.after)
            case Unfollow():
                reader().unfollow(self.subscriber, str(frame.message))

    async def _follow(self, answer: str, after: Step | None) -> None:
        await reader().follow(self.subscriber, answer, after)
        # It may have ended between the look-up and now; the word of that went past.
        await self._tell_ended([answer])

    def _hear(self, event: Event) -> None:
        try:
            self.events.put_nowait(event)
        except asyncio.QueueFull:
            reader().leave(self.subscriber)
            self.pump.cancel()
            asyncio.create_task(self.close(TRY_AGAIN))  # noqa: RUF006 — the client resumes from its last step

    async def _pump(self) -> None:
        """Turn events into frames, one after the other, in their order."""
        while True:
            event = await self.events.get()
            try:
                await self._translate(event)
            except Exception:
                logger.exception("an event could not be sent")

    async def _translate(self, event: Event) -> None:
        match event:
            case Piece():
                if event.answer in self.subscriber.following:
                    await self._send(frames.piece(event))
            case None:
                await self._tell_ended(list(self.subscriber.following))
            case Command(kind="ended"):
                if event.fields["answer"] in self.subscriber.following:
                    await self._tell_ended([event.fields["answer"]])
            case Command():
                for frame in await self._news(event):
                    await self._send(frame)

    async def _news(self, command: Command) -> list[Frame]:
        """What a command means to this person; most commands are about somebody else."""
        if command.fields.get("user", "") not in ("", str(self.user.pk)):
            return []
        return await _call(desk.news, self.user, command)

    async def _tell_ended(self, answers: list[str]) -> None:
        for frame in await _call(desk.all_ended, self.user, answers) if answers else []:
            reader().unfollow(self.subscriber, frame["message"])
            await self._send(frame)

    async def _send(self, frame: Frame) -> None:
        await self.send(text_data=orjson.dumps(frame).decode())


async def _call(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """A short call in the process's database thread."""
    answer: R = await database_sync_to_async(function)(*args, **kwargs)
    return answer
