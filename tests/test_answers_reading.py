"""Readers of journals and of the control stream: no gap, no repeat, and no silence for ever."""

import asyncio
from uuid import uuid4

from asgiref.sync import async_to_sync

from chat.journal import connection as valkey
from chat.journal import control, keys
from chat.journal.control import Command
from chat.journal.keys import START
from chat.journal.reader import Piece, Reader, Subscriber
from tests.line import Line, hang_up


async def eventually(holds) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 — what is waited for knows of no event
            await asyncio.sleep(0.01)


def kinds(heard: list) -> list[str]:
    """Commands of this test; the stream carries those of tests that run beside it too."""
    return [event.kind for event in heard if isinstance(event, Command) and event.kind.startswith("test-")]


def test_a_piece_is_only_for_those_who_have_what_came_before():
    name, reader = str(uuid4()), Reader()
    had, came = [], []
    reader._subscribers = {Subscriber(had.append, {name: (1, 5)}), Subscriber(came.append, {name: START})}
    entries = [(f"1-{step}".encode(), {keys.TEXT: b"%d" % step}) for step in range(1, 7)]
    # The read began when only the first was there; the second came meanwhile, and has nothing yet.
    reader._take(keys.key(name), entries[5:], {name: (1, 5)})
    assert had == [Piece(name, (1, 6), "6", False)] and came == []
    reader._take(keys.key(name), entries, {name: START})
    assert len(had) == 1 and [piece.text for piece in came] == ["1", "2", "3", "4", "5", "6"]


def test_commands_from_before_one_came_are_not_heard(monkeypatch):
    monkeypatch.setattr(valkey, "BLOCK", 0.05)
    mark = f"test-{uuid4()}"

    async def scene():
        reader, heard = Reader(), []
        first = reader.join(lambda event: None)
        await eventually(lambda: control.KEY in reader._last)
        reader.leave(first)
        await eventually(lambda: reader._task.done())
        for number in range(3):
            control.publish(f"{mark}-{number}")
        second = reader.join(heard.append)
        await asyncio.sleep(0)
        await eventually(lambda: control.KEY in reader._last)
        control.publish(f"{mark}-now")
        await eventually(lambda: f"{mark}-now" in kinds(heard))
        assert kinds(heard) == [f"{mark}-now"]
        reader.leave(second)
        await eventually(lambda: reader._task.done())

    async_to_sync(scene)()


def test_a_line_that_falls_silent_silences_nobody_for_long(settings, monkeypatch):
    monkeypatch.setattr(valkey, "BLOCK", 0.2)
    monkeypatch.setattr(valkey, "MARGIN", 0.2)
    mark = f"test-{uuid4()}"

    async def scene():
        line, reader, heard = Line(), Reader(), []
        async with line.open() as settings.REDIS_URL:
            subscriber = reader.join(heard.append)
            await eventually(lambda: control.KEY in reader._last)
            control.publish(f"{mark}-before")
            await eventually(lambda: kinds(heard) == [f"{mark}-before"])
            line.fall_silent()
            control.publish(f"{mark}-after")
            await eventually(lambda: kinds(heard) == [f"{mark}-before", f"{mark}-after"])
            assert None in heard  # terminal states may have gone past
            reader.leave(subscriber)
            await eventually(lambda: reader._task.done())
            await hang_up()

    async_to_sync(scene)()
