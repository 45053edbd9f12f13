"""Word of the gate to open sockets: at its moment, to whom it concerns, once, and never overtaken by an older one."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator

from accounts import clock
from accounts.models import User
from chat import desk
from chat.journal import connection as valkey
from chat.journal import control
from chat.journal.control import Command
from chat.journal.reader import reader
from chat.watch import Watch, Watched
from privacy import announce, publishing
from privacy.models import Terms
from privacy.vocabulary import Training
from tests.line import Line, hang_up
from tests.people import alice, bob, charlie, stella
from tests.scenes import asked, decided, published
from tests.sockets import done, eventually, off_loop, opened, signed_in, silent, told, watching

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("socket_sees_rows")]

SOON = timedelta(seconds=1)


@pytest.fixture
def only_at_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is looked at in between: who is told in time is told because the moment had come."""
    monkeypatch.setattr("chat.watch.EVERY", 60.0)


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.watch.EVERY", 0.05)
    monkeypatch.setattr("chat.watch.LOOK_AGAIN", 0.05)


def allowed(*people: User) -> None:
    for person in people:
        decided(person, Training.ALLOW)


def announced(**terms: Any) -> Terms:
    """New terms, with the word that goes out of them."""
    new = published(**terms)
    announce.terms_changed()
    return new


async def until(socket: WebsocketCommunicator, state: str) -> dict[str, Any]:
    while (gate := await told(socket))["state"] != state:
        pass
    return gate


# --- Moments that were known beforehand ------------------------------------------


@pytest.mark.usefixtures("only_at_moments")
class TestMoments:
    def test_at_the_deadline_every_tab_of_the_undecided_is_told_once_and_nobody_else(self) -> None:
        ann, ben = alice(), bob()
        allowed(ann, ben)

        async def scene() -> None:
            tab = await off_loop(lambda: signed_in(ann))
            async with opened(ann, tab) as one, opened(ann, tab) as two, opened(ben) as answered:
                terms = await done(lambda: announced(deadline=SOON))
                await done(lambda: decided(ben, Training.DENY))
                await until(answered, "open")
                for socket in (one, two):
                    gate = await until(socket, "stop")
                    assert clock.now() >= terms.deadline and gate["deadline"] == terms.deadline.isoformat()
                await silent(one, two, answered)

        async_to_sync(scene)()

    def test_a_scheduled_version_asks_at_its_moment_those_whom_it_concerns(self) -> None:
        ann, ben = alice(), bob()
        allowed(ann, ben)

        async def scene() -> None:
            async with opened(ann) as on_free, opened(ben) as on_pro:
                terms = await done(lambda: announced(published_at=clock.now() + SOON, audience=["free"]))
                gate = await told(on_free)
                assert clock.now() >= terms.published_at
                assert (gate["state"], gate["terms"]) == ("ask", terms.slug)
                await silent(on_free, on_pro)

        async_to_sync(scene)()


@pytest.mark.usefixtures("looks_often")
class TestMovedClock:
    def test_whoever_chose_in_time_hears_nothing_of_the_deadline(self, move_clock) -> None:
        ann = alice()
        allowed(ann)
        published()

        async def scene() -> None:
            async with opened(ann) as socket:
                await done(lambda: decided(ann, Training.DENY))
                assert (await told(socket))["state"] == "open"
                move_clock(days=31)
                await silent(socket)

        async_to_sync(scene)()

    def test_the_socket_stays_and_serves_after_it_was_told(self, move_clock) -> None:
        ann = alice()
        allowed(ann)
        turn = asked(ann)
        published()
        frame = {"type": "ask", "workspace": str(ann.personal_workspace.public_id), "text": "Let me in"}

        async def scene() -> None:
            tab = await off_loop(lambda: signed_in(ann))
            async with opened(ann, tab) as socket:
                move_clock(days=31)
                assert (await told(socket))["state"] == "stop"
                await socket.send_json_to(frame)
                assert (await socket.receive_json_from(timeout=5))["code"] == "consent_required"
                await socket.send_json_to({"type": "stop", "message": str(turn.answer.public_id)})
                await silent(socket)
                await done(lambda: decided(ann, Training.DENY))
                assert (await told(socket))["state"] == "open"
                await socket.send_json_to(frame)
                assert (await socket.receive_json_from(timeout=5))["type"] == "turn"

        async_to_sync(scene)()

    def test_forth_and_back(self, move_clock) -> None:
        ann = alice()
        allowed(ann)
        published()

        async def scene() -> None:
            async with opened(ann) as socket:
                move_clock(days=31)
                assert (await told(socket))["state"] == "stop"
                move_clock(days=0)
                assert (await told(socket))["state"] == "ask"
                await silent(socket)

        async_to_sync(scene)()

    def test_a_moved_deadline_lets_in_again_until_the_new_one(self, move_clock) -> None:
        ann, ben, staff = alice(), bob(), stella()
        allowed(ann, ben)
        terms = published(deadline=timedelta(seconds=1))
        decided(ben, Training.DENY)
        move_clock(hours=1)
        later = clock.now() + timedelta(days=3)

        async def scene() -> None:
            async with opened(ann) as stopped, opened(ben) as answered:
                assert stopped.hello["gate"]["state"] == "stop"
                await done(lambda: publishing.move_deadline(terms, later, "Mail was down.", by=staff))
                gate = await told(stopped)
                assert (gate["state"], gate["deadline"]) == ("ask", later.isoformat())
                move_clock(days=4)
                assert (await told(stopped))["state"] == "stop"
                await silent(stopped, answered)

        async_to_sync(scene)()

    def test_terms_whose_word_was_lost_are_found_all_the_same(self) -> None:
        ann = alice()
        allowed(ann)

        async def scene() -> None:
            async with opened(ann) as socket:
                await watching()
                await off_loop(published)
                assert (await told(socket))["state"] == "ask"
                await silent(socket)

        async_to_sync(scene)()


# --- Word -----------------------------------------------------------------------


def draft() -> Terms:
    deadline = clock.now() + timedelta(days=30)
    return Terms.objects.create(slug="2", title="t", summary="s", body="b", deadline=deadline, audience=["free"])


@pytest.mark.usefixtures("only_at_moments")
class TestWord:
    def test_a_publication_reaches_those_whom_it_concerns(self) -> None:
        ann, ben, staff = alice(), bob(), stella()
        allowed(ann, ben)

        async def scene() -> None:
            async with opened(ann) as on_free, opened(ben) as on_pro:
                await done(lambda: publishing.publish(draft(), by=staff))
                gate = await told(on_free)
                assert (gate["state"], gate["terms"]) == ("ask", "2")
                await silent(on_free, on_pro)

        async_to_sync(scene)()

    def test_a_choice_in_one_tab_reaches_all_of_that_person_and_nobody_else(self) -> None:
        ann, charles = alice(), charlie()
        allowed(ann, charles)
        published()

        async def scene() -> None:
            tab = await off_loop(lambda: signed_in(ann))
            async with opened(ann, tab) as one, opened(ann, tab) as two, opened(charles) as somebody:
                await done(lambda: decided(ann, Training.DENY))
                assert [(await told(socket))["state"] for socket in (one, two)] == ["open", "open"]
                await silent(one, two, somebody)

        async_to_sync(scene)()

    def test_what_happened_while_valkey_was_away_is_told_when_it_is_back(self, settings, monkeypatch) -> None:
        monkeypatch.setattr(valkey, "BLOCK", 0.2)
        monkeypatch.setattr(valkey, "MARGIN", 0.2)
        ann = alice()
        allowed(ann)
        published()

        async def scene() -> None:
            line = Line()
            async with line.open() as settings.REDIS_URL:
                async with opened(ann) as socket:
                    await watching()
                    line.fall_silent()
                    await off_loop(lambda: decided(ann, Training.DENY))  # the word of it gets lost
                    assert (await told(socket))["state"] == "open"
                    await silent(socket)
                await asyncio.wait([task for task in (reader()._task,) if task])
                await hang_up()

        async_to_sync(scene)()


# --- Greetings ---------------------------------------------------------------------


def test_no_greeting_goes_out_before_word_is_heard(monkeypatch) -> None:
    """The first socket of a process: what changes before its reader listens must be in the greeting."""
    ann = alice()
    allowed(ann)
    published()
    latest, listens = control.latest, asyncio.Event()

    async def late() -> bytes:
        await listens.wait()
        return await latest()

    monkeypatch.setattr(control, "latest", late)

    async def scene() -> None:
        opening = asyncio.create_task(opened(ann).__aenter__())
        await asyncio.sleep(0.2)  # in which a greeting would go out that waits for nothing
        await off_loop(lambda: decided(ann, Training.DENY))
        listens.set()
        socket = await opening
        assert socket.hello["gate"]["state"] == "open"
        await socket.disconnect()

    async_to_sync(scene)()


def test_word_that_comes_while_a_greeting_is_on_its_way_is_told_after_it() -> None:
    ann = alice()
    allowed(ann)
    published()
    heard: list[dict[str, Any]] = []

    async def scene() -> None:
        watcher = Watch()
        watched: Watched = watcher.join(ann.pk, heard.append)
        before = await off_loop(lambda: desk.gate(ann))
        await off_loop(lambda: decided(ann, Training.DENY))
        watcher._hear(Command("standing", {"user": str(ann.pk)}))
        await eventually(lambda: watched.missed)
        assert heard == []
        watcher.greeted(watched, before)
        await eventually(lambda: bool(heard))
        watcher.leave(watched)

    async_to_sync(scene)()
    assert [(frame["type"], frame["gate"]["state"]) for frame in heard] == [("gate", "open")]
