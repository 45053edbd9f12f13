"""What answers are written with may fail for a moment: database, Valkey, a chore. Nothing stops for good."""

import asyncio
import threading
from types import SimpleNamespace
from uuid import uuid4

import pytest
import redis.asyncio
from asgiref.sync import async_to_sync
from django.db import DataError, InterfaceError, OperationalError, connection

from chat.generation import chores, lease, write
from chat.generation import engine as engines
from chat.generation.engine import Engine
from chat.generation.write import write_answer
from chat.journal import connection as valkey
from chat.journal import control, keys, writer
from chat.journal.draft import Draft
from chat.journal.writer import Fate
from chat.models import Message
from chat.tasks import PATIENCE
from chat.turns import effects
from config import liveness
from privacy.vocabulary import Training
from tests.answering import WORDS, apart, eventually, journal, script, text_of
from tests.people import alice
from tests.scenes import asked, decided

SECRET = "Failing row contains (Dear diary)"


@pytest.fixture
def person(committed):
    decided(alice(), Training.DENY)
    return alice()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(chores, "PAUSE", 0.01)
    monkeypatch.setattr(engines, "SAVE_EVERY", 0.05)


def failing(monkeypatch, place, name: str, failure: Exception, times: int) -> list[None]:
    """Let `place.name` fail the first `times` times; returns a list that is as long as it has failed often."""
    failed: list[None] = []
    real = getattr(place, name)

    def function(*args):
        if len(failed) < times:
            failed.append(None)
            raise failure
        return real(*args)

    monkeypatch.setattr(place, name, function)
    return failed


def claimed(turn) -> lease.Work:
    work = lease.claim(turn.answer.pk)
    assert work
    return work


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError, RuntimeError])
def test_journals_are_written_after_the_database_blinked(person, monkeypatch, caplog, kind):
    engine = Engine()
    failed = failing(monkeypatch, lease, "renew", kind(SECRET), times=2)
    turn, after = asked(person, script(words=300, delay=0.01)), asked(person, script(words=300, delay=0.002))
    running = apart(engine.write, claimed(turn))
    eventually(lambda: len(journal(turn.answer)) > 2)
    keys.forget([turn.answer.public_id])
    eventually(lambda: journal(turn.answer) and journal(turn.answer)[0][0] == "2-1")
    assert len(failed) == 2 and not running.done()
    assert running.result(10).text == WORDS
    engine.write(claimed(after))
    assert len(journal(after.answer)) > 2
    assert kind.__name__ in caplog.text and SECRET not in caplog.text


def test_a_save_beside_a_renewal_takes_nobody_for_lost(person, monkeypatch):
    """The row has the new attempt, the draft has not yet, and a save of the old one finds nothing of it."""
    renewed, saves = threading.Event(), list[None]()
    renew, save = lease.renew, lease.save

    def slow(*args):
        attempt = renew(*args)
        renewed.set()
        eventually(lambda: len(saves) > 1)  # so that what the first found has been judged
        return attempt

    def noted(rows):
        found = save(rows)
        if renewed.is_set():
            saves.append(None)
        return found

    monkeypatch.setattr(lease, "renew", slow)
    monkeypatch.setattr(lease, "save", noted)
    turn = asked(person, script(words=300, delay=0.01))
    running = apart(Engine().write, claimed(turn))
    eventually(lambda: len(journal(turn.answer)) > 2)
    keys.forget([turn.answer.public_id])
    assert running.result(20).text == WORDS


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError, DataError, RuntimeError])
def test_texts_are_saved_after_the_database_blinked(person, monkeypatch, caplog, kind):
    failed = failing(monkeypatch, lease, "save", kind(SECRET), times=2)
    turn = asked(person, script(words=300, delay=0.01))
    running = apart(Engine().write, claimed(turn))
    eventually(lambda: len(failed) == 2)
    eventually(lambda: text_of(turn.answer))
    assert not running.done()
    assert running.result(10).text == WORDS
    assert kind.__name__ in caplog.text and SECRET not in caplog.text


def test_commands_are_heard_after_one_that_failed(monkeypatch):
    heard: list[str] = []

    async def obey(self, command):
        if command.fields.get("answer") == name:
            heard.append(command.kind)
            raise RuntimeError

    name = str(uuid4())
    monkeypatch.setattr(Engine, "_obey", obey)
    held = Engine()

    def heard_once_more() -> bool:
        before = len(heard)
        control.publish("stop", answer=name)
        threading.Event().wait(0.02)
        return len(heard) > before

    eventually(heard_once_more)
    eventually(heard_once_more)
    assert held.alive


def test_a_bad_character_of_one_model_stops_nobody(person):
    turn = asked(person, script(pieces=["a\x00b", "c"]))
    write_answer(turn.answer.pk)
    assert (text_of(turn.answer), turn.answer.state) == ("a\ufffdbc", "complete")
    draft = Draft(0, uuid4(), 1, "", asyncio.Event())
    draft.append("lone \ud83d!")
    assert draft.text == "lone ?!"


def test_there_is_one_engine_however_many_threads_ask_at_once(monkeypatch):
    made: list[object] = []
    together = threading.Barrier(32)

    def slowly() -> object:
        threading.Event().wait(0.05)
        made.append(object())
        return made[-1]

    def ask() -> object:
        together.wait()
        return engines.engine()

    monkeypatch.setattr(engines, "_engine", None)
    monkeypatch.setattr(engines, "Engine", slowly)
    got = [future.result(5) for future in [apart(ask) for _ in range(32)]]
    assert len(made) == 1 and set(got) == set(made)


class TestLiveness:
    @pytest.fixture
    def beat(self):
        worker = SimpleNamespace(eventer=SimpleNamespace(hostname="generation-test@here"))
        client = valkey.plain()

        def beat() -> bool:
            client.delete(liveness.key("generation-test"))
            liveness.refresh(worker)
            return bool(client.delete(liveness.key("generation-test")))

        return beat

    @pytest.mark.parametrize("engine", [None, SimpleNamespace(alive=True)])
    def test_a_worker_lives_with_its_engine_or_before_it(self, beat, monkeypatch, engine):
        monkeypatch.setattr(engines, "_engine", engine)
        assert beat()

    def test_a_worker_whose_engine_stands_still_is_absent(self, beat, monkeypatch):
        monkeypatch.setattr(engines, "_engine", SimpleNamespace(alive=False))
        assert not beat()

    def test_an_engine_lives_while_its_loop_turns(self):
        engine = Engine()
        engine._beat_at -= 10
        assert not engine.alive
        eventually(lambda: engine.alive)

    def test_an_engine_without_its_chores_is_dead(self, monkeypatch):
        async def ends_at_once(chore):
            return

        monkeypatch.setattr(chores, "forever", ends_at_once)
        engine = Engine()
        monkeypatch.setattr(engines, "BEATS_WITHIN", 1.2)  # a little longer than from one beat to the next
        eventually(lambda: not engine.alive)


def test_a_writer_that_cannot_read_back_is_no_zombie(monkeypatch):
    async def away(*args, **kwargs):
        raise redis.exceptions.ConnectionError

    async def scene():
        draft = Draft(0, uuid4(), 1, "text", asyncio.Event())
        await writer.flush([draft])
        draft.steps = draft.sent = 0  # the reply was lost
        with monkeypatch.context() as patch:
            patch.setattr(redis.asyncio.Redis, "xrange", away)
            assert [fate for _, fate in await writer.flush([draft])] == [Fate.UNREACHABLE]
        assert [fate for _, fate in await writer.flush([draft])] == [Fate.WRITTEN]
        assert (draft.sent, draft.steps) == (4, 1)
        await valkey.for_loop().delete(keys.key(draft.answer))

    async_to_sync(scene)()


class TestEnding:
    @pytest.fixture
    def once_cut(self, monkeypatch):
        """PostgreSQL ends the connection once, just before the commit of an ending."""
        real, cut = effects.answer_ended, []

        def answer_ended(*args) -> None:
            if not cut:
                cut.append(None)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            real(*args)

        monkeypatch.setattr(effects, "answer_ended", answer_ended)
        return cut

    def test_a_blink_is_waited_for(self, person, once_cut, monkeypatch):
        monkeypatch.setattr(write, "AGAIN_AFTER", (0,))
        turn = asked(person, script(words=300))
        write_answer(turn.answer.pk)
        assert once_cut and (text_of(turn.answer), turn.answer.state) == (WORDS, "complete")
        assert turn.answer.attempt == 1

    def test_while_the_database_stays_away_the_lease_runs_out_and_the_next_goes_on(
        self, person, once_cut, monkeypatch, move_clock
    ):
        monkeypatch.setattr(write, "AGAIN_AFTER", ())
        turn = asked(person, script(words=300))
        write_answer(turn.answer.pk)
        turn.answer.refresh_from_db()
        assert once_cut and turn.answer.state == "streaming"
        move_clock(minutes=1)
        assert Message.objects.silent(turn.answer.lease_until.replace(year=9999), PATIENCE).get().pk == turn.answer.pk
        write_answer(turn.answer.pk)
        assert (text_of(turn.answer), turn.answer.state, turn.answer.attempt) == (WORDS, "complete", 2)
