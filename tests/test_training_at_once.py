"""Sealing while people withdraw and delete, with real commits: each act is wholly before the seal, or wholly after it.

Before it, the conversation is in no shard; after it, it is on the drop list. The ledger's order says which.
"""

import json
import threading
from collections.abc import Callable
from functools import partial

import pytest

from accounts import clock
from chat.models import Conversation, TrainingMember, TrainingSet
from chat.training import checking, chunks, sealing, snapshot
from chat.turns import conversations
from privacy import deleting, flagging, holds, sweep
from privacy.models import Event
from privacy.selection import Selection
from privacy.vocabulary import Act, Training
from tests.answering import apart, until_somebody_waits
from tests.people import alice, bob, stella, will, works
from tests.scenes import asked, decided
from tests.test_agreement import signed, written
from tests.threads import at_once
from tests.training import allowed, built, key_of, questions, rows, seal_while

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.TRAINING_DIR = str(tmp_path / "training")


def withdraw(one: Conversation) -> None:
    decided(alice(), Training.DENY)


def delete(one: Conversation) -> None:
    conversations.delete(alice(), conversation=one.public_id)


def delete_several(one: Conversation) -> None:
    deleting.delete(Selection(alice(), keys=frozenset({one.public_id})))


def hold(one: Conversation) -> None:
    holds.place(one, "A case", by=stella())


def hold_person(one: Conversation) -> None:
    holds.place(alice(), "A case", by=stella())


def flag(one: Conversation) -> None:
    flagging.flag(one, reason="Looks odd", told="We look at it.", by=stella())


def deny_later(one: Conversation) -> None:
    """So many that the rows are told afterwards."""
    from django.conf import settings

    settings.RETAG_AT_ONCE = 0
    try:
        decided(alice(), Training.DENY)
    finally:
        settings.RETAG_AT_ONCE = 10_000


ACTS = [withdraw, delete, delete_several, hold, hold_person, flag, deny_later]


def agrees(made: TrainingSet, key: str) -> bool:
    """Whether the shards and the drop list say the same of a conversation that may train no more."""
    within = key in {row["conversation"] for row in rows(made)}
    sealing.release(made)
    said = json.loads((made.folder / "manifest.json").read_text())
    assert Event.objects.get(act=Act.TRAINING_SET_SEALED).detail["manifest"] == made.manifest_hash
    assert (
        said["conversations"]
        == len(rows(made))
        == Event.objects.get(act=Act.TRAINING_SET_SEALED).detail["conversations"]
    )
    on_list = key in checking.check(manifest=made.manifest_hash, run="a run").drop
    return within == on_list


@pytest.mark.parametrize("act", ACTS)
def test_between_the_last_asking_and_the_commit_nothing_gets_in(act, monkeypatch):
    one, _ = allowed(alice(), "one", "two")
    stella()
    made = built()
    seal_while(made, monkeypatch, act, one)
    assert key_of(one, made) in {row["conversation"] for row in rows(made)}
    assert agrees(made, key_of(one, made))


@pytest.mark.parametrize("act", ACTS)
def test_the_seal_waits_for_what_came_first_and_does_not_contain_it(act):
    one, _ = allowed(alice(), "one", "two")
    stella()
    made = built()
    with until_somebody_waits():
        act(one)
        seal = apart(sealing.seal, made)
    seal.result(10)
    made.refresh_from_db()
    key = key_of(one, made)
    assert key not in {row["conversation"] for row in rows(made)}
    assert agrees(made, key)


@pytest.mark.parametrize("act", ACTS)
def test_at_the_same_instant_it_is_one_or_the_other(act):
    (one,) = allowed(alice(), "one")
    allowed(bob(), "his own")
    stella()
    made = built()
    assert at_once(partial(act, one), partial(sealing.seal, made)) == []
    made.refresh_from_db()
    assert made.state == "sealed" and agrees(made, key_of(one, made))
    assert "his own" in questions(made)


def test_an_agreement_that_ends_at_the_same_instant():
    signed(training=True)
    one = written()
    made = built()
    assert at_once(partial(signed, training=False), partial(sealing.seal, made)) == []
    made.refresh_from_db()
    assert agrees(made, key_of(one, made)) and one.workspace == works() and one.author == will()


def test_many_who_withdraw_delete_and_write_while_sets_are_built_and_sealed():
    """No deadlock, and whatever came before the seal is not in the set."""
    for round_ in range(3):
        people = [alice(), bob()]
        held = {person.pk: allowed(person, *(f"{round_} {n}" for n in range(4))) for person in people}
        made = snapshot.begin(reason="A test", chunk=2)

        def build(made: TrainingSet = made) -> None:
            assert chunks.work(made)
            sealing.seal(made)

        acts_: list[Callable[[], object]] = [build]
        acts_ += [partial(decided, people[0], Training.DENY)]
        acts_ += [partial(conversations.delete, bob(), conversation=held[bob().pk][0].public_id)]
        acts_ += [partial(asked, bob(), "more", within=held[bob().pk][1])]
        acts_ += [sweep.sweep]
        assert [type(error).__name__ for error in at_once(*acts_)] == []
        made.refresh_from_db()
        event = Event.objects.filter(act=Act.TRAINING_SET_SEALED).latest("pk")
        withdrawn = Event.objects.filter(act=Act.TRAINING_WITHDRAWN).latest("pk")
        hers = {str(key) for key in keys_of(alice(), made)}
        within = hers & {row["conversation"] for row in rows(made)}
        assert within == (hers if event.pk < withdrawn.pk else set())
        sealing.release(made)
        drop = set(checking.check(manifest=made.manifest_hash, run="a run").drop)
        left = {row["conversation"] for row in rows(made)} - drop
        assert left <= {str(key) for key in keys_of(bob(), made)}
        assert key_of(held[bob().pk][0], made) not in left


def test_two_workers_share_the_chunks_and_two_seals_are_one():
    allowed(alice(), *map(str, range(9)))
    made = snapshot.begin(reason="A test", chunk=2)
    assert at_once(partial(chunks.work, made), partial(chunks.work, made)) == []
    made.refresh_from_db()
    assert made.state == "built" and len(rows(made)) == 9
    raised = at_once(partial(sealing.seal, made), partial(sealing.seal, made))
    assert {type(error) for error in raised} <= {sealing.NotToBeSealed}
    assert Event.objects.filter(act=Act.TRAINING_SET_SEALED).count() == 1


def test_two_runs_that_ask_at_once_are_told_the_same():
    one, _ = allowed(alice(), "one", "two")
    made = sealing.release(sealing.seal(built()))
    delete(one)
    told: list[list[str]] = []
    lock = threading.Lock()

    def ask(run: str) -> None:
        answer = checking.check(manifest=made.manifest_hash, run=run)
        with lock:
            told.append(answer.drop)

    assert at_once(partial(ask, "first"), partial(ask, "second")) == []
    assert told == [[key_of(one, made)]] * 2


def keys_of(person, made):
    mine = Conversation.objects.filter(author=person)
    members = TrainingMember.objects.filter(training_set=made, conversation__in=mine)
    assert clock.now() >= made.snapshot_at
    return list(members.values_list("key", flat=True))
