"""The engine of a generation worker: one asyncio loop in a thread, in which all answers of the process stream.

A Celery task claims an answer, hands it to `Engine.write`, and waits. While an answer streams no database connection
is held; texts are saved together every couple of seconds, and journals are flushed together every tick.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections

from chat.generation import lease
from chat.generation.draft import Draft
from chat.journal import commands, writer
from chat.journal.control import Command
from chat.journal.writer import Fate
from chat.models.message import State
from chat.providers.base import Request, Turn, provider_for
from chat.providers.errors import FailureCode, ProviderError

logger = logging.getLogger(__name__)

TICK = 0.04  # seconds in which pieces are gathered
SAVE_EVERY = 2.0  # seconds
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
        self._running: dict[int, tuple[Draft, asyncio.Task[None]]] = {}
        self._urgent = asyncio.Event()
        self._flushing = asyncio.Lock()
        threading.Thread(target=self._live, name="engine", daemon=True).start()

    def write(self, work: lease.Work) -> Outcome:
        """Write an answer to its end; blocks the calling thread, which must hold no database connection."""
        return asyncio.run_coroutine_threadsafe(self._write(work), self._loop).result()

    def drain(self, grace: float) -> None:
        """Let running answers go on for `grace` seconds, then hand the rest back with their text."""
        self._loop.call_soon_threadsafe(self._loop.call_later, grace, self._release_all)

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        chores = [
            self._loop.create_task(chore)
            for chore in (self._flush_forever(), self._save_forever(), commands.listen(self._obey))
        ]
        self._loop.run_forever()
        del chores  # held until here: the loop itself keeps only weak references to tasks

    async def _write(self, work: lease.Work) -> Outcome:
        draft = Draft(work.pk, work.answer, work.attempt, work.text, self._urgent)
        task = asyncio.create_task(_stream(work, draft))
        self._running[draft.pk] = (draft, task)
        self._urgent.set()
        try:
            state, error = await _ending(task)
        except asyncio.CancelledError:
            if draft.ended_by != STOPPED:
                return Outcome(draft.attempt, draft.text, None, released=draft.ended_by == RELEASED)
            state, error = State.STOPPED, ""
        finally:
            self._running.pop(draft.pk, None)
        await self._flush([draft])
        return Outcome(draft.attempt, draft.text, state, error)

    def _cancel(self, draft: Draft, reason: str) -> None:
        """End a stream for `reason`; a draft that has ended meanwhile is left alone."""
        held = self._running.get(draft.pk)
        if held and held[0] is draft:
            draft.ended_by = draft.ended_by or reason
            held[1].cancel()

    def _release_all(self) -> None:
        for draft, _ in list(self._running.values()):
            self._cancel(draft, RELEASED)

    async def _obey(self, command: Command) -> None:
        if command.kind == "stop":
            for draft, _ in list(self._running.values()):
                if str(draft.answer) == command.fields.get("answer"):
                    self._cancel(draft, STOPPED)

    async def _flush_forever(self) -> None:
        while True:
            # Idle without streams; a tick with some; at once for the first piece of any.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._urgent.wait(), TICK if self._running else None)
            self._urgent.clear()
            await self._flush([draft for draft, _ in self._running.values()])

    async def _flush(self, drafts: list[Draft]) -> None:
        async with self._flushing:
            pending = [draft for draft in drafts if draft.pending]
            fates = await writer.flush(pending) if pending else []
            for draft, fate in fates:
                if fate is Fate.REFUSED:
                    self._cancel(draft, LOST)
                elif fate is Fate.MISSING:
                    await self._restart(draft)
        if any(fate is Fate.UNREACHABLE for _, fate in fates):
            await asyncio.sleep(0.5)

    async def _restart(self, draft: Draft) -> None:
        """The journal vanished: begin it anew under a new attempt, unless the answer was taken away with it."""
        attempt = await _in_thread(lease.renew, draft.pk, draft.attempt)
        if attempt is None:
            self._cancel(draft, LOST)
        else:
            draft.restart(attempt)
            self._urgent.set()

    async def _save_forever(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY)
            drafts = {draft.pk: draft for draft, _ in self._running.values()}
            if not drafts:
                continue
            try:
                await self._save(drafts)
            except DatabaseError:
                logger.warning("texts not saved; the next save has them", exc_info=True)

    async def _save(self, drafts: dict[int, Draft]) -> None:
        """Save and extend all leases; whoever is not in the answer was lost, and stops asked for are obeyed."""
        rows = [(draft.pk, draft.attempt, draft.text) for draft in drafts.values()]
        saved = {row.pk: row for row in await _in_thread(lease.save, rows)}
        attempts = {pk: attempt for pk, attempt, _ in rows}
        for pk, draft in drafts.items():
            if draft.attempt != attempts[pk]:  # renewed while the save was under way
                continue
            if pk not in saved:
                self._cancel(draft, LOST)
            elif saved[pk].stop_requested:
                self._cancel(draft, STOPPED)


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
        logger.warning("a model failed: %s", failure)
        return State.FAILED, str(failure.code)
    except Exception:
        logger.exception("a provider broke")
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


@cache
def engine() -> Engine:
    """The engine of this process."""
    return Engine()
