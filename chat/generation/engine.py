"""The engine of a generation worker: one asyncio loop in a thread, in which all answers of the process stream.

A Celery task claims an answer, hands it to `Engine.write`, and waits. While an answer streams no database connection
is held; texts are saved together every couple of seconds, and journals are flushed together every tick.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error, connections

from chat.generation import chores, lease
from chat.journal import commands, writer
from chat.journal.control import Command
from chat.journal.draft import Draft
from chat.journal.writer import Fate
from chat.models.message import State
from chat.providers.base import Request, Turn, provider_for
from chat.providers.errors import FailureCode, ProviderError

T = TypeVar("T")
logger = logging.getLogger(__name__)

TICK = 0.04  # seconds in which pieces are gathered
SAVE_EVERY = 2.0  # seconds
BEATS_WITHIN = 5.0  # seconds; the loop says every second that it turns
GO_ON = "Continue exactly where you stopped, without repeating anything."

STOPPED, LOST, RELEASED = "stopped", "lost", "released"  # why a stream is cancelled


@dataclass(frozen=True)
class Outcome:
    """How writing ended. Without a state somebody else goes on; `released` says that it must be handed back."""

    attempt: int
    text: str
    state: State | None
    error: str = ""
    released: bool = False


class Engine:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._running: dict[Draft, asyncio.Task[None]] = {}
        self._urgent = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._beat_at = time.monotonic()
        threading.Thread(target=self._live, name="engine", daemon=True).start()

    def write(self, work: lease.Work) -> Outcome:
        """Write an answer to its end; blocks the calling thread, which must hold no database connection."""
        return self.run(self._write(work))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` in the engine's loop, which has the connections to the model; blocks the calling thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    @property
    def alive(self) -> bool:
        """Whether the loop turns and all chores are under way."""
        return time.monotonic() - self._beat_at < BEATS_WITHIN

    def drain(self, grace: float) -> None:
        """Let running answers go on for `grace` seconds, then hand the rest back with their text."""
        self._loop.call_soon_threadsafe(self._loop.call_later, grace, self._release_all)

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        under_way = [
            self._loop.create_task(chores.forever(chore))
            for chore in (self._flush_forever, self._save_forever, self._listen_forever)
        ]
        self._loop.call_soon(self._beat, under_way)
        self._loop.run_forever()

    def _beat(self, under_way: "list[asyncio.Task[None]]") -> None:
        if not any(chore.done() for chore in under_way):
            self._beat_at = time.monotonic()
        self._loop.call_later(1, self._beat, under_way)

    async def _write(self, work: lease.Work) -> Outcome:
        draft = Draft(work.pk, work.answer, work.attempt, work.text, self._urgent, saved=len(work.text))
        self._running[draft] = task = asyncio.create_task(_stream(work, draft))
        self._urgent.set()
        try:
            state, error = await _ending(task)
        except asyncio.CancelledError:
            if draft.ended_by != STOPPED:
                return Outcome(draft.attempt, draft.text, None, released=draft.ended_by == RELEASED)
            state, error = State.STOPPED, ""
        finally:
            del self._running[draft]
        await self._flush([draft])
        return Outcome(draft.attempt, draft.text, state, error)

    def _cancel(self, draft: Draft, reason: str) -> None:
        """End a stream for `reason`; a draft that has ended meanwhile is left alone."""
        task = self._running.get(draft)
        if task:
            draft.ended_by = draft.ended_by or reason
            task.cancel()

    def _release_all(self) -> None:
        for draft in list(self._running):
            self._cancel(draft, RELEASED)

    async def _listen_forever(self) -> None:
        await commands.listen(self._obey)

    async def _obey(self, command: Command) -> None:
        if command.kind == "stop":
            for draft in list(self._running):
                if str(draft.answer) == command.fields.get("answer"):
                    self._cancel(draft, STOPPED)

    async def _flush_forever(self) -> None:
        while True:
            # Idle without streams; a tick with some; at once for the first piece of any.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._urgent.wait(), TICK if self._running else None)
            self._urgent.clear()
            await self._flush(list(self._running))

    async def _flush(self, drafts: list[Draft]) -> None:
        async with self._flushing:
            pending = [draft for draft in drafts if draft.pending]
            fates = await writer.flush(pending) if pending else []
            again = [draft for draft, fate in fates if fate is Fate.UNREACHABLE]
            for draft, fate in fates:
                if fate is Fate.REFUSED:
                    self._cancel(draft, LOST)
                elif fate is Fate.MISSING and not await self._restart(draft):
                    again.append(draft)
        if again:
            await asyncio.sleep(chores.PAUSE)

    async def _restart(self, draft: Draft) -> bool:
        """The journal vanished: begin it anew under a new attempt, unless the answer was taken away with it.

        False if the database is away: the next flush finds the journal missing again.
        """
        draft.renewing = True
        try:
            attempt = await _in_thread(lease.renew, draft.pk, draft.attempt)
        except Error as failure:
            logger.warning("a journal was not begun anew: %s", type(failure).__name__)
            return False
        if attempt is None:
            self._cancel(draft, LOST)
        else:
            draft.restart(attempt)
            self._urgent.set()
        draft.renewing = False
        return True

    async def _save_forever(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY)
            if not self._running:
                continue
            try:
                await self._save(list(self._running))
            except Error as failure:
                logger.warning("texts not saved; the next save has them: %s", type(failure).__name__)

    async def _save(self, drafts: list[Draft]) -> None:
        """Save and extend all leases; whoever is not in the answer was lost, and stops asked for are obeyed."""
        rows = [(draft.pk, draft.attempt, draft.unsaved) for draft in drafts]
        lengths = [len(draft.text) for draft in drafts]
        saved = {(row.pk, row.attempt): row for row in await _in_thread(lease.save, rows)}
        for draft, (pk, attempt, _), length in zip(drafts, rows, lengths, strict=True):
            row = saved.get((pk, attempt))
            if row:
                draft.saved = length
                if row.stop_requested:
                    self._cancel(draft, STOPPED)
            elif draft.attempt == attempt and not draft.renewing:  # else renewed while the save was under way
                self._cancel(draft, LOST)


async def _stream(work: lease.Work, draft: Draft) -> None:
    """Call the model and gather what it says."""
    provider = provider_for(settings.MODEL)
    turns = list(work.turns)
    continues = bool(draft.text) and provider.can_continue
    if draft.text:
        turns.append(Turn("assistant", draft.text))
        if not provider.can_continue:
            turns.append(Turn("user", GO_ON))
    request = Request(
        turns=turns,
        model=settings.MODEL["name"],
        max_tokens=settings.MODEL["max_tokens"],
        continue_last=continues,
    )
    async with aclosing(provider.stream(request)) as pieces:
        async for piece in pieces:
            draft.append(piece)


async def _ending(task: "asyncio.Task[None]") -> tuple[State, str]:
    """The terminal state that a stream ends in by itself; raises CancelledError if it was ended."""
    try:
        await task
    except ProviderError as failure:
        if failure.code is FailureCode.CUT_SHORT:
            return State.INTERRUPTED, str(failure.code)
        logger.warning("a model failed: %s", failure)
        return State.FAILED, str(failure.code)
    except Exception as failure:
        chores.note("a provider broke", failure)
        return State.FAILED, str(FailureCode.BROKEN)
    return State.COMPLETE, ""


async def _in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Run database work in a thread that gives its connection back afterwards."""

    def work() -> Any:
        try:
            return function(*args)
        finally:
            connections.close_all()

    return await asyncio.to_thread(work)


_engine: Engine | None = None
_making = threading.Lock()


def engine() -> Engine:
    """The engine of this process: one, however many threads ask for it at once."""
    global _engine
    with _making:
        if _engine is None:
            _engine = Engine()
        return _engine


def running_engine() -> Engine | None:
    """The engine, if anything was written in this process yet. Takes no lock: signal handlers ask."""
    return _engine
