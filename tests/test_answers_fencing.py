"""One writer at a time: claims, leases, endings and effects, attacked from two sides at once."""

from datetime import timedelta

import pytest
from django.db import transaction

from accounts import clock
from chat import tasks
from chat.generation import engine as engines
from chat.generation import lease
from chat.generation.ending import finish
from chat.generation.engine import Engine
from chat.journal import control
from chat.models import Conversation, Message
from chat.models.message import State
from chat.rendering import store
from chat.turns import acts, conversations
from config.celery import app
from privacy.models import Standing
from privacy.vocabulary import Training
from tests.answering import apart, eventually, journal, script, text_of, until_somebody_waits
from tests.people import alice
from tests.scenes import answered, asked, decided


@pytest.fixture
def person(committed):
    decided(alice(), Training.ALLOW)
    return alice()


@pytest.fixture
def never_saves(monkeypatch):
    """Engines of this test save nothing on the way: only the journal can tell a writer that it was replaced."""
    monkeypatch.setattr(engines, "SAVE_EVERY", 3600)


def claimed(turn) -> lease.Work:
    work = lease.claim(turn.answer.pk)
    assert work
    return work


def claimed_anew(turn) -> lease.Work:
    """Somebody else takes over, because the first one's lease ran out."""
    Message.objects.filter(pk=turn.answer.pk).update(lease_until=clock.now() - timedelta(seconds=1))
    return claimed(turn)


def deleted_by_somebody_else(turn) -> None:
    """Deleted by an act that knows nothing of answers under way."""
    Conversation.objects.filter(pk=turn.conversation.pk).update(deleted_at=clock.now())


class TestClaim:
    def test_of_two_at_the_same_moment_one_gets_it(self, person):
        turn = asked(person)
        with until_somebody_waits():
            assert claimed(turn).attempt == 1
            second = apart(lease.claim, turn.answer.pk)
        assert second.result(5) is None
        turn.answer.refresh_from_db()
        assert turn.answer.attempt == 1

    def test_what_is_deleted_is_not_written(self, person):
        kept, deleted = asked(person), asked(person)
        deleted_by_somebody_else(deleted)
        assert lease.claim(deleted.answer.pk) is None
        assert lease.claim(kept.answer.pk)

    def test_saving_without_news_keeps_the_text_and_the_lease(self, person, move_clock):
        turn = asked(person)
        work = claimed(turn)
        lease.save([(work.pk, work.attempt, "so far")])
        move_clock(seconds=10)
        assert lease.save([(work.pk, work.attempt, None)])
        assert text_of(turn.answer) == "so far"
        assert turn.answer.lease_until > clock.now() + timedelta(seconds=10)


class TestZombie:
    def test_the_journal_ends_a_writer_that_was_replaced(self, person, never_saves):
        turn = asked(person, script(words=300, delay=0.05))
        first = apart(Engine().write, claimed(turn))
        eventually(lambda: len(journal(turn.answer)) > 2)
        work = claimed_anew(turn)
        second = apart(Engine().write, work)
        assert first.result(5).state is None  # and so nothing of it reaches the row
        eventually(lambda: len([step for step, _ in journal(turn.answer) if step.startswith("2-")]) > 2)
        turn.answer.refresh_from_db()
        assert (turn.answer.state, turn.answer.attempt) == ("streaming", 2)
        steps = [step for step, _ in journal(turn.answer)]
        assert steps == sorted(steps, key=lambda step: [int(part) for part in step.split("-")])
        conversations.delete(person, conversation=turn.conversation.public_id)
        second.result(5)

    def test_one_engine_may_meet_its_own_zombie(self, person, never_saves):
        turn = asked(person, script(words=60, delay=0.02))
        engine = Engine()
        first = apart(engine.write, claimed(turn))
        eventually(lambda: len(journal(turn.answer)) > 2)
        work = claimed_anew(turn)
        second = apart(engine.write, work)
        assert first.result(5).state is None
        outcome = second.result(5)
        assert (outcome.state, outcome.attempt) == (State.COMPLETE, 2)
        entries = [text for step, text in journal(turn.answer) if step.startswith("2-")]
        assert len(entries) > 2 and "".join(entries) == outcome.text

    def test_the_row_ends_a_writer_that_was_replaced(self, person, monkeypatch):
        monkeypatch.setattr(engines, "SAVE_EVERY", 0.05)
        turn = asked(person, script(words=300, delay=0.05))
        first = apart(Engine().write, claimed(turn))
        eventually(lambda: len(journal(turn.answer)) > 2)
        Message.objects.filter(pk=turn.answer.pk).update(attempt=2)  # taken over, and not yet in the journal
        assert first.result(5).state is None


class TestEnding:
    def test_only_its_own_attempt_ends_an_answer(self, person):
        turn = asked(person)
        first, second = claimed(turn), claimed_anew(turn)
        assert not finish(first.pk, first.attempt, "from the grave", State.COMPLETE)
        assert text_of(turn.answer) == "" and turn.answer.state == State.STREAMING
        assert finish(second.pk, second.attempt, "alive", State.COMPLETE)
        assert text_of(turn.answer) == "alive"

    def test_an_answer_is_activity_and_moves_the_end(self, person, move_clock):
        turn = asked(person)
        work, before = claimed(turn), turn.conversation.hidden_from
        move_clock(days=1)
        finish(work.pk, work.attempt, "An answer.", State.COMPLETE)
        turn.conversation.refresh_from_db()
        moved = turn.conversation.hidden_from - before
        assert timedelta(hours=23) < moved < timedelta(hours=25)

    def test_a_choice_made_meanwhile_is_the_one_that_tags(self, person):
        turn = asked(person)
        work = claimed(turn)
        with until_somebody_waits():
            decided(person, Training.DENY)
            ended = apart(finish, work.pk, work.attempt, "An answer.", State.COMPLETE)
        assert ended.result(5)
        turn.conversation.refresh_from_db()
        assert turn.conversation.trains_until is None
        assert turn.conversation.tag_epoch == Standing.objects.get(user=person).epoch


class TestRendering:
    def test_html_of_another_text_is_not_stored(self, person, monkeypatch):
        turn = asked(person)
        work = claimed(turn)
        finish(work.pk, work.attempt, "The first half", State.STOPPED)

        def meanwhile(text: str) -> str:
            acts.resume(person, message=turn.answer.public_id)
            again = claimed(turn)
            finish(again.pk, again.attempt, text + " and the second", State.STOPPED)
            return "<p>The first half</p>"

        monkeypatch.setattr(store, "render", meanwhile)
        store.render_answer(work.pk)
        assert (text_of(turn.answer), turn.answer.html) == ("The first half and the second", "")
        monkeypatch.undo()
        store.render_answer(work.pk)
        turn.answer.refresh_from_db()
        assert "and the second" in turn.answer.html


class TestEffects:
    @pytest.fixture
    def sent(self, monkeypatch):
        sent: list[str] = []
        monkeypatch.setattr(app, "send_task", lambda name, args: sent.append(app.tasks[name].name))
        monkeypatch.setattr(control, "publish", lambda kind, **fields: sent.append(kind))
        return sent

    def test_a_question_that_is_rolled_back_sends_nothing(self, person, sent):
        with pytest.raises(InterruptedError), transaction.atomic():
            asked(person)
            raise InterruptedError
        assert sent == []
        asked(person)
        assert sent == ["chat.tasks.generate", "changed"]

    def test_nothing_is_sent_before_the_commit(self, person, sent):
        with transaction.atomic():
            asked(person)
            assert sent == []
        assert sent

    def test_an_ending_that_is_rolled_back_sends_nothing(self, person, sent):
        work = claimed(asked(person))
        sent.clear()
        with pytest.raises(InterruptedError), transaction.atomic():
            finish(work.pk, work.attempt, "An answer.", State.COMPLETE)
            raise InterruptedError
        assert sent == []
        finish(work.pk, work.attempt, "An answer.", State.COMPLETE)
        assert sent == ["ended", "chat.tasks.render_answer", "chat.tasks.title_conversation"]


def silent() -> list[int]:
    return list(Message.objects.silent(clock.now(), tasks.PATIENCE).values_list("pk", flat=True))


class TestSilence:
    def test_an_answer_that_no_worker_came_for(self, person, move_clock):
        turn = asked(person)
        answered(person)
        assert silent() == []
        move_clock(seconds=11)
        assert silent() == [turn.answer.pk]

    def test_an_answer_whose_worker_fell_silent(self, person, move_clock):
        work = claimed(asked(person))
        move_clock(seconds=14)
        assert silent() == []
        move_clock(seconds=16)
        assert silent() == [work.pk]

    def test_an_answer_that_was_handed_back(self, person):
        work = claimed(asked(person))
        lease.release(work.pk, work.attempt, "so far")
        assert silent() == [work.pk]

    def test_what_was_taken_up_again_has_just_begun_to_wait(self, person, move_clock):
        turn = asked(person)
        work = claimed(turn)
        finish(work.pk, work.attempt, "half", State.STOPPED)
        move_clock(hours=1)
        acts.resume(person, message=turn.answer.public_id)
        assert silent() == []
        move_clock(hours=1, seconds=11)
        assert silent() == [work.pk]

    def test_what_is_deleted_is_not_missed(self, person, move_clock):
        waiting, held = asked(person), asked(person)
        claimed(held)
        for turn in (waiting, held):
            deleted_by_somebody_else(turn)
        move_clock(minutes=1)
        assert silent() == []


class TestRevival:
    @pytest.fixture
    def sent(self, person, monkeypatch):
        """The answers that tasks were sent for; none of them waits in the queue."""
        sent: list[int] = []
        monkeypatch.setattr(tasks.generate, "delay", sent.append)
        monkeypatch.setattr(tasks, "tasks_waiting", lambda: 0)
        return sent

    def test_a_sweep_sends_one_task_and_the_next_none(self, person, sent, move_clock):
        turn = asked(person)
        sent.clear()
        move_clock(seconds=11)
        for _ in range(3):
            tasks.revive_silent_answers()
        assert sent == [turn.answer.pk]
        move_clock(seconds=22)  # that task was lost as well
        tasks.revive_silent_answers()
        assert sent == [turn.answer.pk] * 2
        assert claimed(turn)

    def test_a_dead_workers_answer_gets_one_task(self, person, sent, move_clock):
        work = claimed(asked(person))
        sent.clear()
        move_clock(seconds=16)
        for _ in range(3):
            tasks.revive_silent_answers()
        assert sent == [work.pk]

    def test_while_tasks_wait_an_unbegun_answer_is_not_queued_twice(self, person, sent, move_clock, monkeypatch):
        waiting, held = asked(person), claimed(asked(person))
        sent.clear()
        monkeypatch.setattr(tasks, "tasks_waiting", lambda: 100)
        move_clock(minutes=1)
        tasks.revive_silent_answers()
        assert sent == [held.pk]  # a lost worker is seen to at once
        move_clock(minutes=6)
        tasks.revive_silent_answers()
        assert sorted(sent[1:]) == sorted([waiting.answer.pk, held.pk])

    def test_the_broker_tells_how_many_wait(self, person):
        before = tasks.tasks_waiting()
        asked(person)
        assert tasks.tasks_waiting() > before  # no worker runs here
