"""The socket: frames to calls, events to frames. It holds no rule and no query."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer

from accounts.errors import NotFound, SignedOut
from accounts.visits import Visit, visit_of
from chat import bounds, desk, frames
from chat.errors import Missing, Refused
from chat.frames import Again, Ask, Edit, Follow, Frame, Incoming, Stop, Unfollow
from chat.journal.control import Command
from chat.journal.keys import Step
from chat.journal.reader import Event, Piece, Subscriber, reader
from chat.news import concerns, news
from chat.threads import in_database
from chat.watch import Watched, watch
from privacy.errors import ConsentRequired

R = TypeVar("R")
Send = Callable[[dict[str, Any]], Awaitable[None]]
logger = logging.getLogger(__name__)

MOST_WAITING = 2_000  # events that a slow client may be behind before it is sent away, to resume later
SIGNED_OUT, TRY_AGAIN = 4401, 1013


class Gone(Exception):
    """The other side is gone, or has been told goodbye: nothing can be said to it, and that is no fault."""


class ChatSocket(AsyncWebsocketConsumer):
    over = False
    seat: int | None = None
    visit: Visit
    subscriber: Subscriber | None = None
    watched: Watched | None = None
    pumps: "Sequence[asyncio.Task[None]]" = ()

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        """Serve one connection. Channels says no `disconnect` when a handler raises: whatever the end is, let go."""

        async def say(message: dict[str, Any]) -> None:
            if self.over and message["type"] != "websocket.close":
                raise Gone
            try:
                await send(message)
            except (OSError, RuntimeError) as error:  # what servers raise once the line is closed, by either side
                raise Gone from error

        try:
            await super().__call__(scope, receive, say)
        finally:
            self.over = True
            self._let_go()
            if self.seat is not None:
                bounds.leave_seat(self.seat)

    async def connect(self) -> None:
        await self._or_end(self._enter())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self.over:
            await self._or_end(self._take(text_data if text_data is not None else bytes_data))

    async def _or_end(self, step: Awaitable[None]) -> None:
        """Take a step; if it fails, end the connection, so that the client resumes rather than misses something."""
        try:
            await step
        except Gone:
            pass
        except SignedOut:
            await self._end(SIGNED_OUT)
        except Exception:
            logger.exception("a socket was closed")
            await self._end(TRY_AGAIN)

    async def _enter(self) -> None:
        user = self.scope["user"]
        await self.accept()
        if not user.is_authenticated:
            raise SignedOut
        if not bounds.take_seat(user.pk):
            await self._end(TRY_AGAIN)
            return
        self.user, self.seat = user, user.pk
        self.visit = visit_of(user, self.scope["session"])
        self.bucket = bounds.Bucket()
        self.pieces: asyncio.Queue[Piece] = asyncio.Queue(MOST_WAITING)
        self.commands: asyncio.Queue[Command | Frame | None] = asyncio.Queue(MOST_WAITING)
        self.subscriber = reader().join(self._hear)
        self.watched = watch().join(user.pk, self._hear)
        await reader().listening()  # what changes while the greeting is on its way is heard
        gate = await self._ask(desk.gate)
        await self._send(frames.hello(gate))
        watch().greeted(self.watched, gate)
        self.pumps = [
            asyncio.create_task(self._or_end(pump(self.subscriber)))
            for pump in (self._pump_pieces, self._pump_commands)
        ]

    async def _take(self, data: str | bytes | None) -> None:
        if self.subscriber is None or not self.bucket.take():
            await self._end(TRY_AGAIN)
            return
        try:
            await self._act(frames.parse(data), self.subscriber)
        except (Refused, ConsentRequired) as refused:
            await self._send(frames.error(refused, frames.request_of(data)))
        except NotFound:
            await self._send(frames.error(Missing(), frames.request_of(data)))

    async def _act(self, frame: Incoming, subscriber: Subscriber) -> None:
        match frame:
            case Ask() | Edit() | Again():
                turn = await self._ask(desk.begin, frame)
                await self._send(turn)
                await self._follow(subscriber, turn["answer"]["id"], None)
            case Stop():
                await self._ask(desk.stop, frame.message)
            case Follow():
                ended = await self._ask(desk.ended, frame.message)
                if ended:
                    await self._send(ended)
                else:
                    await self._follow(subscriber, str(frame.message), frame.after)
            case Unfollow():
                reader().unfollow(subscriber, str(frame.message))

    async def _follow(self, subscriber: Subscriber, answer: str, after: Step | None) -> None:
        await reader().follow(subscriber, answer, after)
        # It may have ended between the look-up and now; the word of that went past.
        await self._tell_ended(subscriber, [answer])

    def _hear(self, event: Event | Frame) -> None:
        try:
            if isinstance(event, Piece):
                self.pieces.put_nowait(event)
            else:
                self.commands.put_nowait(event)
        except asyncio.QueueFull:
            self._let_go()
            self.ending = asyncio.create_task(self._end(TRY_AGAIN))  # the client resumes from its last step

    async def _pump_pieces(self, subscriber: Subscriber) -> None:
        """Send pieces in their order. They never wait for the database, which what a command means does."""
        while True:
            piece = await self.pieces.get()
            if piece.answer in subscriber.following:  # after its end no piece follows: the end carries the whole text
                await self._send(frames.piece(piece))

    async def _pump_commands(self, subscriber: Subscriber) -> None:
        """Obey commands and pass frames on, in their order; None says that the journals were away and are back."""
        while True:
            command = await self.commands.get()
            if command is None:
                await self._look_again(subscriber)
            elif not isinstance(command, Command):
                await self._send(command)
            elif concerns(command, self.visit.user):
                await self._obey(command, subscriber)

    async def _obey(self, command: Command, subscriber: Subscriber) -> None:
        match command.kind:
            case "ended":
                if command.fields["answer"] in subscriber.following:
                    await self._tell_ended(subscriber, [command.fields["answer"]])
            case "signed_out" | "left":
                await self._look_again(subscriber)
            case _:
                for frame in await news(self.user, command):
                    await self._send(frame)

    async def _look_again(self, subscriber: Subscriber) -> None:
        """Is the person still signed in, and may they still see what they follow?"""
        await self._tell_ended(subscriber, list(subscriber.following))

    async def _tell_ended(self, subscriber: Subscriber, answers: list[str]) -> None:
        for answer, frame in await self._ask(desk.all_ended, answers):
            reader().unfollow(subscriber, answer)
            if frame:
                await self._send(frame)

    async def _ask(self, do: Callable[..., R], *args: Any) -> R:
        """A short call in the process's database thread, for the person as they are now; raises SignedOut."""
        return await in_database(desk.for_visitor, self.visit, do, *args)

    async def _send(self, frame: Frame) -> None:
        await self.send(text_data=orjson.dumps(frame).decode())

    async def _end(self, code: int) -> None:
        if self.over:
            return
        self.over = True
        self._let_go()
        with suppress(Gone):
            await self.close(code)

    def _let_go(self) -> None:
        """Hear nothing more."""
        if self.watched is not None:
            watch().leave(self.watched)
        if self.subscriber is not None:
            reader().leave(self.subscriber)
        for pump in self.pumps:
            if pump is not asyncio.current_task():
                pump.cancel()
