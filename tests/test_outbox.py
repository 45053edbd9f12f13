"""What was purged is forgotten outside the database too, whatever is away at that moment."""

import os
import signal
from dataclasses import replace
from functools import partial

import pytest

from chat.journal import connection as valkey
from chat.journal import keys
from chat.models import Conversation
from privacy import holdings, outbox
from privacy import sweep as sweeping
from privacy.models import Outbox
from privacy.vocabulary import Training
from tests.engines import Engines
from tests.people import alice
from tests.scenes import answered, decided
from tests.threads import at_once

CANARY = "xanthic"


@pytest.fixture
def own_valkey(settings):
    """A Valkey that this test may stop, in place of the one of all tests."""
    with Engines(postgres=False) as engines:
        settings.REDIS_URL = engines.addresses["REDIS_URL"]
        valkey.plain.cache_clear()
        yield engines
    valkey.plain.cache_clear()


def with_journal() -> str:
    """Alice has asked; the journal of the answer is there. Returns its key."""
    decided(alice(), Training.DENY)
    key = keys.key(answered(alice()).answer.public_id)
    valkey.plain().xadd(key, {keys.TEXT: CANARY})
    return key


def test_the_journal_goes_with_its_conversation(committed, own_valkey, move_clock):
    key = with_journal()
    move_clock(days=31)
    sweeping.sweep()
    assert not valkey.plain().exists(key) and not Outbox.objects.exists()


def test_a_valkey_that_does_not_answer_for_a_while_forgets_all_the_same(committed, own_valkey, move_clock):
    key, pid = with_journal(), valkey.plain().info()["process_id"]
    move_clock(days=31)
    os.kill(pid, signal.SIGSTOP)
    try:
        sweeping.sweep()
        waiting = Outbox.objects.get()
        assert (waiting.attempts, waiting.failure) == (1, "TimeoutError") and not Conversation.objects.exists()
        assert outbox.work_off() == 0 and Outbox.objects.get().attempts == 1  # it is not asked without a pause
        move_clock(days=31, minutes=1)
        assert outbox.work_off() == 0
        assert Outbox.objects.get().next_at - waiting.next_at > outbox.FIRST_PAUSE  # and later each time
    finally:
        os.kill(pid, signal.SIGCONT)
    valkey.plain().xadd(key, {keys.TEXT: CANARY})  # as if none of the calls had reached it, which now they have
    move_clock(days=31, minutes=2)
    sweeping.sweep()  # as beat does every minute
    assert not valkey.plain().exists(key) and not Outbox.objects.exists()


def test_no_answer_is_not_not_found(committed, own_valkey, move_clock):
    with_journal()
    move_clock(days=31)
    own_valkey.stop()
    sweeping.sweep()
    assert Outbox.objects.get().failure == "ConnectionError"


def test_one_store_that_fails_does_not_stop_the_others(db, move_clock):
    forgotten: list[str] = []
    chat = next(one for one in holdings.all_holdings() if one.name == "conversations")
    stores = {"away": lambda _: 1 / 0, "here": forgotten.extend}
    holdings.register(replace(chat, stores=stores))
    try:
        for store in ("away", "away", "here", "unheard of"):
            outbox.write(store, ["1", "2"])
        assert outbox.work_off() == 1
    finally:
        holdings.register(chat)
    assert forgotten == ["1", "2"]
    waiting = Outbox.objects.values_list("store", "attempts")
    assert sorted(waiting) == [("away", 1), ("away", 1), ("unheard of", 1)]


def test_what_is_written_stands_or_falls_with_the_purge(committed, move_clock, monkeypatch):
    decided(alice(), Training.DENY)
    answered(alice())
    move_clock(days=31)
    monkeypatch.setattr(sweeping.ledger, "record", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sweeping.sweep()
    assert not Outbox.objects.exists()


def test_a_worker_that_died_with_a_row_leaves_it_to_others(db, move_clock):
    outbox.write("journals", ["1"])
    assert outbox._claim(Outbox.objects.get().pk) and outbox.work_off() == 0
    move_clock(minutes=2)
    assert outbox.work_off() == 1 and not Outbox.objects.exists()


def test_many_keys_stand_in_rows_of_bounded_size_and_two_workers_share_them(committed):
    outbox.write("journals", [str(number) for number in range(2_500)])
    assert [len(row.keys) for row in Outbox.objects.all()] == [1_000, 1_000, 500]
    assert at_once(*[partial(outbox.work_off)] * 2) == []
    assert not Outbox.objects.exists()
