"""No answer is lost: writers, leases and journals against real PostgreSQL and Valkey."""

import asyncio
import threading
from uuid import UUID, uuid4

import pytest
from asgiref.sync import async_to_sync

from chat.generation import lease
from chat.generation.ending import finish
from chat.generation.engine import Engine
from chat.generation.write import write_answer
from chat.journal import connection as valkey
from chat.journal import keys, writer
from chat.journal.draft import Draft
from chat.journal.reader import Piece, Reader
from chat.journal.writer import Fate
from chat.models import Message, SpentTurn
from chat.turns import acts, conversations
from chat.turns.stop import stop
from privacy.vocabulary import Training
from tests.answering import WORDS, eventually, in_background, journal, script, text_of
from tests.people import alice
from tests.scenes import asked, decided


@pytest.fixture
def person(committed):
    decided(alice(), Training.DENY)
    return alice()


def test_an_answer_is_written_whole_to_row_and_journal(person):
    turn = asked(person, script(words=300))
    write_answer(turn.answer.pk)
    assert text_of(turn.answer) == WORDS
    assert turn.answer.state == Message.State.COMPLETE and turn.answer.lease_until is None
    assert "".join(text for _, text in journal(turn.answer)) == WORDS


def test_the_question_is_stored_before_the_model_is_asked(person):
    turn = asked(person, "Anybody there?")
    assert (turn.question.text, turn.answer.state) == ("Anybody there?", Message.State.WAITING)


def test_two_workers_do_not_write_one_answer(person):
    turn = asked(person, script(words=300, delay=0.005))
    first = in_background(turn.answer.pk)
    eventually(lambda: Message.objects.get(pk=turn.answer.pk).attempt == 1)
    write_answer(turn.answer.pk)  # returns at once: there is no lease to take
    first.join()
    assert text_of(turn.answer) == WORDS and turn.answer.attempt == 1


@pytest.mark.parametrize("failure", ["unreachable", "refused", "too_long", "timed_out", "rate_limited", "broken"])
def test_a_models_failure_becomes_a_message_and_the_question_stays(person, failure):
    turn = asked(person, script(pieces=["half "], repeat=4, fail_after=2, failure=failure))
    write_answer(turn.answer.pk)
    assert (text_of(turn.answer), turn.answer.state, turn.answer.error) == ("half half ", "failed", failure)
    assert Message.objects.filter(pk=turn.question.pk).exists()


def test_stop_ends_a_running_answer_from_anywhere_and_keeps_what_was_written(person):
    turn = asked(person, script(words=300, delay=0.02))
    running = in_background(turn.answer.pk)
    eventually(lambda: len(journal(turn.answer)) > 2)
    stop(person, message=turn.answer.public_id)
    running.join(5)
    assert not running.is_alive()
    text = text_of(turn.answer)
    assert turn.answer.state == Message.State.STOPPED
    assert text and WORDS.startswith(text) and text != WORDS


def test_stop_before_any_worker_came(person):
    turn = asked(person)
    stop(person, message=turn.answer.public_id)
    write_answer(turn.answer.pk)
    assert text_of(turn.answer) == "" and turn.answer.state == Message.State.STOPPED


def test_a_stopped_answer_goes_on_where_it_ended(person):
    turn = asked(person, script(words=300, delay=0.02))
    running = in_background(turn.answer.pk)
    eventually(lambda: len(journal(turn.answer)) > 2)
    stop(person, message=turn.answer.public_id)
    running.join(5)
    acts.resume(person, message=turn.answer.public_id)
    write_answer(turn.answer.pk)
    assert text_of(turn.answer) == WORDS


def test_a_silent_worker_is_replaced_and_may_write_nothing_more(person, move_clock):
    turn = asked(person, script(words=300))
    work = lease.claim(turn.answer.pk)
    assert work and lease.save([(work.pk, work.attempt, "word1 word2 ")])
    move_clock(minutes=1)
    assert list(Message.objects.silent(turn.answer.created_at, lease.LEASE)) == []
    write_answer(turn.answer.pk)  # the sweep queued it again
    assert text_of(turn.answer) == WORDS
    assert lease.save([(work.pk, work.attempt, "from the grave")]) == []
    assert not finish(work.pk, work.attempt, "from the grave", Message.State.COMPLETE)
    assert text_of(turn.answer) == WORDS


def test_where_the_model_cannot_go_on_the_text_is_kept_and_marked(person, settings, move_clock):
    turn = asked(person, script(words=300))
    work = lease.claim(turn.answer.pk)
    lease.save([(work.pk, work.attempt, "word1 word2 ")])
    settings.MODEL = {**settings.MODEL, "continues": False}
    move_clock(minutes=1)
    write_answer(turn.answer.pk)
    assert (text_of(turn.answer), turn.answer.state) == ("word1 word2 ", "interrupted")


def test_an_answer_that_reaches_the_greatest_length_is_kept_and_can_be_gone_on_with(person):
    turn = asked(person, script(words=300, fail_after=100, failure="cut_short"))
    write_answer(turn.answer.pk)
    assert text_of(turn.answer) == WORDS[: WORDS.index("word101")]
    assert (turn.answer.state, turn.answer.error) == ("interrupted", "cut_short")
    assert turn.answer.can_continue and not turn.answer.can_retry
    assert "greatest length" in turn.answer.error_sentence
    acts.resume(person, message=turn.answer.public_id)
    write_answer(turn.answer.pk)
    assert (text_of(turn.answer), turn.answer.state, turn.answer.error) == (WORDS, "complete", "")


@pytest.mark.parametrize(("failure", "spent"), [("cut_short", 2), ("broken", 1)])
def test_going_on_costs_a_message_where_there_was_an_answer(person, failure, spent):
    turn = asked(person, script(words=300, fail_after=100, failure=failure))
    write_answer(turn.answer.pk)
    acts.resume(person, message=turn.answer.public_id)
    assert SpentTurn.objects.filter(user=person).count() == spent


def test_a_lost_journal_is_begun_anew_by_its_own_writer(person):
    turn = asked(person, script(words=300, delay=0.01))
    running = in_background(turn.answer.pk)
    eventually(lambda: len(journal(turn.answer)) > 2)
    keys.forget([turn.answer.public_id])  # as when Valkey comes back empty
    running.join(15)
    assert text_of(turn.answer) == WORDS and turn.answer.attempt == 2
    entries = journal(turn.answer)
    assert entries[0][0] == "2-1" and "".join(text for _, text in entries) == WORDS


def test_deleting_ends_the_writing_and_the_journal_stays_gone(person):
    turn = asked(person, script(words=300, delay=0.02))
    running = in_background(turn.answer.pk)
    eventually(lambda: len(journal(turn.answer)) > 2)
    conversations.delete(person, conversation=turn.conversation.public_id)
    running.join(5)
    assert not running.is_alive()
    assert journal(turn.answer) == []


def test_a_worker_that_goes_away_hands_its_answer_back(person):
    engine = Engine()
    turn = asked(person, script(words=300, delay=0.01))
    work = lease.claim(turn.answer.pk)
    outcomes = []
    running = threading.Thread(target=lambda: outcomes.append(engine.write(work)))
    running.start()
    eventually(lambda: len(journal(turn.answer)) > 2)
    engine.drain(0)
    running.join(5)
    (outcome,) = outcomes
    assert outcome.released and outcome.state is None and WORDS.startswith(outcome.text)
    lease.release(work.pk, outcome.attempt, outcome.text)
    write_answer(turn.answer.pk)
    assert text_of(turn.answer) == WORDS


def test_an_older_attempt_is_refused_by_the_journal_itself():
    name = uuid4()

    async def scene():
        old, new = (Draft(0, name, attempt, "text", asyncio.Event()) for attempt in (1, 2))
        await valkey.for_loop().delete(keys.key(name))
        assert [fate for _, fate in await writer.flush([old])] == [Fate.WRITTEN]
        assert [fate for _, fate in await writer.flush([new])] == [Fate.WRITTEN]
        old.append(" of a zombie")
        assert [fate for _, fate in await writer.flush([old])] == [Fate.REFUSED]
        # The reply to its last entry was lost: the writer itself is not taken for a zombie.
        new.steps, new.sent = 0, 0
        new.append(" that goes on")
        assert [fate for _, fate in await writer.flush([new])] == [Fate.WRITTEN]
        assert (new.sent, new.steps) == (4, 1)
        await valkey.for_loop().delete(keys.key(name))

    async_to_sync(scene)()


def test_every_reader_gets_the_same_text_wherever_it_comes_in():
    """Readers that come, go and come back at any step, while a writer writes and a second attempt takes over."""

    async def scene():
        name = str(uuid4())
        client = valkey.for_loop()
        await client.delete(keys.key(name))
        reader = Reader()
        texts: dict[int, str] = {}
        last: dict[int, tuple[int, int]] = {}

        def hear_as(number: int):
            def hear(event) -> None:
                if isinstance(event, Piece):
                    texts[number] = event.text if event.whole else texts.get(number, "") + event.text
                    last[number] = event.step

            return hear

        subscribers = {}
        for number in range(8):
            subscribers[number] = reader.join(hear_as(number))
        draft = Draft(0, UUID(name), 1, "", asyncio.Event())
        for step in range(120):
            if step < 8:
                await reader.follow(subscribers[step], name, None)
            if step % 10 == 5:  # one of them drops, and resumes from the last step it saw
                number = step // 10 % 8
                reader.leave(subscribers[number])
                subscribers[number] = reader.join(hear_as(number))
                await reader.follow(subscribers[number], name, last.get(number))
            if step == 60:
                draft.restart(2)
            draft.append(f"{step} ")
            await writer.flush([draft])
            await asyncio.sleep(0.001)
        for _ in range(200):
            if all(texts.get(number) == draft.text for number in range(8)):
                break
            await asyncio.sleep(0.02)
        assert {texts.get(number) for number in range(8)} == {draft.text}
        for subscriber in subscribers.values():
            reader.leave(subscriber)
        await client.delete(keys.key(name))

    async_to_sync(scene)()
