"""Thumbs with real commits: at the same moment, beside a seal, and after a backup is restored."""

from collections.abc import Callable
from concurrent.futures import wait
from functools import partial

import pytest

from chat.feedback import acts, replaying
from chat.models import Conversation, Feedback, TrainingMember
from chat.models.feedback import Thumb
from chat.training import checking, sealing
from chat.turns import conversations
from privacy import choices, scrub, sweep, tasks
from privacy.guard import log, watch
from privacy.models import Event, GuardEntry
from privacy.vocabulary import Act, Training
from tests.answering import apart, until_somebody_waits
from tests.database import backed_up
from tests.people import alice, bob
from tests.scenes import answered, asked, decided
from tests.test_guard import replayed
from tests.threads import at_once
from tests.thumbs import answer_of, rated, taken_back, withdrawn
from tests.training import allowed, built, questions, rows, seal_while

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.TRAINING_DIR = str(tmp_path / "training")


def lent() -> Feedback:
    decided(alice(), Training.DENY)
    return rated(alice(), answered(alice(), "Lent?").conversation, True)


def test_pressed_at_the_same_moment_it_is_one():
    decided(alice(), Training.DENY)
    message = answered(alice()).answer.public_id
    press = partial(acts.rate, alice(), message=message)
    assert at_once(*(partial(press, thumb=thumb) for thumb in (*Thumb, *Thumb))) == []
    assert Feedback.objects.count() == 1


def test_beside_choices_deletions_turns_and_sweeps_nothing_deadlocks():
    for round_ in range(3):
        decided(alice(), Training.ALLOW)
        one, two = (answered(alice(), f"{round_} {n}").conversation for n in range(2))
        given = rated(alice(), one)
        doing: list[Callable[[], object]] = [
            partial(rated, alice(), two, True),
            partial(taken_back, given),
            partial(decided, alice(), Training.DENY),
            partial(asked, alice(), "more", within=two),
            partial(conversations.delete, alice(), conversation=one.public_id),
            sweep.sweep,
        ]
        raised = {type(error).__name__ for error in at_once(*doing)}
        assert raised <= {"NotFound"}, raised  # what was deleted first is not there any more


def test_an_answer_waits_for_a_choice_that_is_being_carried_out(monkeypatch):
    """Between its evidence and its re-tag: whoever held the chat by then would wait for the chain of events."""
    decided(alice(), Training.ALLOW)
    one = answered(alice()).conversation
    rated(alice(), one)
    late, carry_out = [], choices._carry_out

    def in_the_middle(user, standing):
        late.append(apart(rated, user, one, True))
        wait([late[0]], timeout=0.3)
        assert not late[0].done(), "it did not wait"
        carry_out(user, standing)

    monkeypatch.setattr(choices, "_carry_out", in_the_middle)
    decided(alice(), Training.DENY)
    assert late[0].result(10).may_train is True


def test_its_bytes_are_overwritten(move_clock):
    decided(alice(), Training.DENY)
    rated(alice(), answered(alice()).conversation, comment="Gone")
    move_clock(days=31)
    sweep.sweep()
    assert "chat_feedback" in scrub.scrub()


# --- Beside a seal ----------------------------------------------------------------------


def deny(one: Conversation) -> None:
    rated(alice(), one, False)


@pytest.mark.parametrize("act", [withdrawn, taken_back])
def test_between_the_last_asking_and_the_commit_no_withdrawal_gets_in(act, monkeypatch):
    given = lent()
    made = built()
    seal_while(made, monkeypatch, act, given)
    sealing.release(made)
    assert questions(made) == {"Lent?"}
    assert len(checking.check(manifest=made.manifest_hash, run="a run").drop) == 1


@pytest.mark.parametrize("act", [withdrawn, taken_back])
def test_the_seal_waits_for_a_withdrawal_that_came_first(act):
    given = lent()
    made = built()
    with until_somebody_waits():
        act(given)
        seal = apart(sealing.seal, made)
    seal.result(10)
    made.refresh_from_db()
    assert rows(made) == [] and made.state == "sealed"


def test_a_no_at_the_same_instant_is_before_the_seal_or_on_the_drop_list():
    for round_ in range(3):
        (one,) = allowed(alice(), f"{round_}")
        allowed(bob(), f"Bob's {round_}")
        made = built()
        assert at_once(partial(deny, one), partial(sealing.seal, made)) == []
        made.refresh_from_db()
        key = str(TrainingMember.objects.get(training_set=made, conversation=one).key)
        within = key in {row["conversation"] for row in rows(made)}
        sealing.release(made)
        assert within == (key in checking.check(manifest=made.manifest_hash, run="a run").drop)


# --- After a backup is restored -------------------------------------------------------------


def kinds() -> list[str]:
    tasks.log_deletions()
    return [line.kind for line in log.lines() if line.kind == "feedback"]


def test_only_a_no_and_a_taking_back_are_in_the_log():
    given = lent()
    assert kinds() == []
    withdrawn(given)
    rated(alice(), given.message.conversation, True)
    taken_back(given)
    assert kinds() == ["feedback", "feedback"]
    assert {len(line.said) for line in log.lines() if line.kind == "feedback"} == {5}


@pytest.mark.parametrize("act", [withdrawn, taken_back])
def test_a_permission_that_was_withdrawn_after_the_backup_is_not_back(act, tmp_path):
    given = lent()
    with backed_up(tmp_path / "backup.sql") as restore:
        act(given)
        tasks.log_deletions()
        restore()
        with watch.off():
            assert Feedback.objects.get().may_train is True
        replayed()
        assert not Feedback.objects.filter(may_train=True).exists()
        if act is withdrawn:
            assert Event.objects.filter(act=Act.EXCHANGE_WITHDRAWN).latest("pk").detail["restored"] is True
        else:
            assert not Feedback.objects.exists()


def test_a_no_that_the_backup_does_not_know_holds_again(tmp_path):
    (one,) = allowed(alice(), "one")
    with backed_up(tmp_path / "backup.sql") as restore:
        key = rated(alice(), one, False, thumb=Thumb.DOWN).key
        tasks.log_deletions()
        restore()
        with watch.off():
            assert not Feedback.objects.exists()
        replayed()
        again = Feedback.objects.get()
        assert (again.key, again.thumb, again.may_train) == (key, "down", False)


def test_an_entry_about_what_is_not_here_concerns_nothing():
    given = lent()
    withdrawn(given)
    said = GuardEntry.objects.filter(kind="feedback").latest("pk").said
    assert replaying.replay({**said, "person": str(bob().public_id)}, given.given_at) is False
    Conversation.objects.filter(pk=given.message.conversation_id).update(leaf=None)
    message = answer_of(given.message.conversation)
    assert replaying.replay({**said, "message": str(bob().public_id)}, message.created_at) is False
