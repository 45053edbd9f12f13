"""One exchange in a training set by a permission of its own; and a "no" that leaves a whole conversation out."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from accounts import clock
from accounts.changes import age_changed
from accounts.models import User
from chat.models import Conversation, Feedback, Message, TrainingMember, TrainingSet
from chat.training import checking, chunks, sealing
from chat.turns import acts, conversations
from privacy import erasure, flagging, holds, leaving, permission, sweep
from privacy.models import Event, Flag, Standing
from privacy.vocabulary import Act, Training
from tests import many
from tests.people import alice, bob, stella, will, works
from tests.scenes import answered, asked_in, decided, published
from tests.test_agreement import signed
from tests.test_feedback import NEVER
from tests.test_training_checks import ASKED
from tests.test_training_checks import dropped as dropped_by
from tests.test_why import answer
from tests.thumbs import answer_of, rated, taken_back, withdrawn
from tests.training import allowed, begun, built, manifest, outcome, questions, released, rows, sealed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.TRAINING_DIR = str(tmp_path / "training")


def lent(person: User, question: str = "Lent?", training: Training = Training.DENY) -> Feedback:
    """An exchange between two others that stay out, in a chat that may not train."""
    decided(person, training)
    turn = answered(person, "Before it", "It was before.")
    middle = answered(person, question, f"About {question}", within=turn.conversation)
    answered(person, "After it", "It was after.", within=turn.conversation)
    return rated(person, turn.conversation, True, "My comment", message=middle.answer)


# --- What is in it -----------------------------------------------------------------------


def test_the_exchange_alone_is_in_it_and_nothing_around_it():
    given = lent(alice())
    made = sealed()
    (row,) = rows(made)
    assert row["messages"] == [
        {"role": "user", "content": "Lent?"},
        {"role": "assistant", "content": "About Lent?"},
    ]
    assert (row["permission"], row["terms"]) == ("feedback", "")
    assert row["chosen_on"] == given.decided_at.date() and len(set(row["message_keys"])) == 2
    assert manifest(made)["included"] == {"feedback": 1} and made.total == 1
    files = b"".join(path.read_bytes() for path in made.folder.iterdir())
    said = json.dumps(row, default=str).encode() + files
    assert [word for word in (b"before", b"after", b"comment") if word in said] == []
    for key in (given.key, given.message.public_id, given.message.conversation.public_id, alice().public_id):
        assert str(key).encode() not in said


def test_without_an_answer_a_thumb_lets_nothing_train():
    decided(alice(), Training.DENY)
    rated(alice(), answered(alice()).conversation, comment="Good")
    assert begun().total == 0


@pytest.mark.parametrize("before", [Training.ALLOW, Training.DENY])
def test_what_was_begun_before_the_choice_trains_by_its_exchange_only(before):
    given = lent(alice(), training=before)
    decided(alice(), Training.DENY)
    decided(alice(), Training.ALLOW)
    made = built()
    assert [row["permission"] for row in rows(made)] == ["feedback"] and questions(made) == {"Lent?"}
    assert given.message.conversation.tag_reason != "allowed" or before is Training.ALLOW


def test_several_of_one_chat_are_several_rows_with_nothing_in_common():
    given = lent(alice())
    held = given.message.conversation
    rated(alice(), held, True)
    first, second = rows(built(chunk=10))
    assert {first["messages"][0]["content"], second["messages"][0]["content"]} == {"Lent?", "Before it"}
    assert first["conversation"] != second["conversation"]
    assert not set(first["message_keys"]) & set(second["message_keys"])


def test_a_chat_that_may_train_is_in_it_as_a_whole_and_once():
    (held,) = allowed(alice(), "Whole")
    rated(alice(), held, True)
    (row,) = rows(built())
    assert row["permission"] == "terms"


def test_a_yes_in_a_chat_that_may_train_outlives_the_general_choice():
    (held,) = allowed(alice(), "Whole")
    answered(alice(), "and more", "More.", within=held)
    rated(alice(), held, True)
    decided(alice(), Training.DENY)
    (row,) = rows(built())
    assert row["permission"] == "feedback" and len(row["messages"]) == 2


def test_what_is_sensitive_in_it_is_filtered_as_ever():
    lent(alice(), "Write to jo@example.org, please")
    assert questions(built()) == {"Write to [EMAIL_1], please"}


def test_an_answer_beside_the_shown_branch_may_be_lent_too():
    decided(alice(), Training.DENY)
    turn = answered(alice(), "First words", "First answer")
    acts.edit(alice(), message=turn.question.public_id, text="Other words")
    rated(alice(), turn.conversation, True, message=turn.answer)
    assert questions(built()) == {"First words"}


def test_the_chat_is_kept_no_longer_for_it():
    decided(alice(), Training.DENY)
    held = answered(alice()).conversation
    before = Conversation.objects.values().get(pk=held.pk)
    rated(alice(), held, True)
    assert Conversation.objects.values().get(pk=held.pk) == before


# --- What never is -------------------------------------------------------------------------


def forced(held: Conversation) -> None:
    """A permission that no door gives."""
    person = held.author
    assert person
    Feedback.objects.create(message=answer_of(held), user=person, thumb="up", may_train=True, decided_at=clock.now())


@pytest.mark.parametrize("scene", NEVER)
def test_what_something_overrides_is_in_none_whatever_a_row_says(scene):
    forced(scene(alice()))
    assert begun().total == 0 and rows(built()) == []


@pytest.mark.parametrize("training", [True, False])
def test_work_never(training):
    signed(training=training)
    turn = asked_in(will(), works(), "At work")
    Message.objects.filter(pk=turn.answer.pk).update(state="complete", text="Yes.")
    forced(turn.conversation)
    assert [row["permission"] for row in rows(built())] == ["agreement"] * training


def test_somebody_elses_permission_is_none():
    decided(alice(), Training.DENY)
    message = answer_of(answered(alice()).conversation)
    Feedback.objects.create(message=message, user=bob(), thumb="up", may_train=True, decided_at=clock.now())
    assert begun().total == 0


def test_past_the_time_within_which_anything_trains(move_clock):
    given = lent(alice())
    conversations.keep(alice(), conversation=given.message.conversation.public_id)
    move_clock(days=365 * 5 - 2)
    assert len(rows(built())) == 1
    move_clock(days=365 * 5 + 3)
    made = built()
    assert rows(made) == [] and manifest(made)["excluded"] == {"ended": 1}


def test_a_part_of_just_those_that_the_policy_lets_and_of_no_other():
    """As many as there are combinations: what the stored tag says, and what the policy makes of the facts, are one."""
    decided(alice(), Training.ALLOW, keep_history=True)
    keys = [row.pk for row in many.conversations(alice())]
    now = clock.now()
    stored = set(Conversation.objects.apart(now).values_list("pk", flat=True))
    asked = permission.ask_apart(Conversation, keys, now)
    assert 0 < len(stored) < len(keys) and asked.allowed == stored
    assert set(Conversation.objects.trainable(now).values_list("pk", flat=True)) <= stored
    assert set(asked.refused) == set(keys) - stored and "disagreed" not in asked.refused.values()
    decided(alice(), Training.DENY, keep_history=True)
    assert not Conversation.objects.trainable(now).exists()
    assert permission.ask_apart(Conversation, keys, now).allowed == stored


def drift(given: Feedback) -> None:
    """The tag says yes; the policy, asked of the facts, does not."""
    mine = Conversation.objects.filter(pk=given.message.conversation_id)
    mine.update(begun_at=clock.now() - timedelta(days=365 * 60))


def stale(given: Feedback) -> None:
    """The standing has moved on and no tag says so yet."""
    Standing.objects.filter(user=given.user).update(epoch=F("epoch") + 1)


@pytest.mark.parametrize("change", [drift, stale])
def test_where_tag_and_policy_do_not_say_the_same_it_does_not_train(change):
    given = lent(alice())
    made = begun()
    change(given)
    assert chunks.work(made)
    assert rows(made) == [] and what_became(made) == {"disagreed"}


# --- Asked again -----------------------------------------------------------------------------


def withdraw(given: Feedback) -> None:
    withdrawn(given)


def take_back(given: Feedback) -> None:
    taken_back(given)


def delete(given: Feedback) -> None:
    conversations.delete(given.user, conversation=given.message.conversation.public_id)


def hold(given: Feedback) -> None:
    holds.place(given.message.conversation, "A case", by=stella())


def flag(given: Feedback) -> None:
    flagging.flag(given.message.conversation, reason="Looks odd", told="We look at it.", by=stella())


def turn_out_young(given: Feedback) -> None:
    person = User.objects.get(pk=given.user.pk)
    person.date_of_birth = clock.now().date().replace(year=clock.now().year - 16)
    person.save(update_fields=["date_of_birth"])
    age_changed(person)


CHANGES = {
    withdraw: "withdrawn",
    take_back: "withdrawn",
    delete: "deleted",
    hold: "held",
    flag: "flagged",
}
IDS: dict[str, Any] = {"ids": lambda one: getattr(one, "__name__", "")}


def what_became(made: TrainingSet) -> set[str]:
    return set(TrainingMember.objects.filter(training_set=made).values_list("outcome", flat=True))


@pytest.mark.parametrize(("change", "reason"), CHANGES.items(), **IDS)
def test_what_changes_before_it_is_read_is_left_out(change, reason):
    given = lent(alice())
    made = begun()
    change(given)
    assert chunks.work(made)
    assert rows(made) == [] and what_became(made) == {reason}


@pytest.mark.parametrize(("change", "reason"), CHANGES.items(), **IDS)
def test_what_changes_before_the_seal_is_taken_out_and_no_byte_stays(change, reason):
    given = lent(alice())
    lent(bob(), "his own")
    made = built(chunk=10)
    assert questions(made) == {"Lent?", "his own"}
    change(given)
    sealing.seal(made)
    assert questions(made) == {"his own"} and what_became(made) == {reason, "included"}
    assert b"Lent?" not in b"".join(path.read_bytes() for path in made.folder.iterdir())
    assert Event.objects.get(act=Act.TRAINING_SET_SEALED).detail["conversations"] == 1


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_after_the_release_is_on_the_drop_list_for_ever(change):
    given = lent(alice())
    lent(bob(), "his own")
    made = released()
    assert dropped_by(made) == []
    key = str(TrainingMember.objects.get(training_set=made, message=given.message).key)
    change(given)
    assert dropped_by(made) == [key]
    if change is delete:
        conversations.undelete(alice(), conversation=given.message.conversation.public_id)
    Flag.objects.all().delete()
    assert dropped_by(made) == [key]


def test_given_again_it_stays_dropped_from_the_set_and_is_in_the_next():
    given = lent(alice())
    made = released()
    withdrawn(given)
    before = dropped_by(made)
    rated(alice(), given.message.conversation, True, message=given.message)
    assert dropped_by(made) == before != [] and len(rows(built())) == 1


def test_what_comes_to_its_end_is_dropped_and_after_the_purge_nothing_leads_to_it(move_clock):
    lent(alice())
    made = released()
    move_clock(days=31)
    dropped = dropped_by(made)
    assert len(dropped) == 1
    assert sweep.sweep().purged == 1
    assert dropped_by(made) == dropped
    member = TrainingMember.objects.get(training_set=made)
    assert (member.conversation_id, member.message_id) == (None, None)


def test_erased_it_is_dropped_still():
    lent(alice())
    made = released()
    leaving.leave(user=alice())
    dropped = dropped_by(made)
    assert len(dropped) == 1 and erasure.erase(alice().pk)
    assert dropped_by(made) == dropped and not Feedback.objects.exists()


def test_while_newer_terms_are_unanswered_past_their_deadline_it_rests(move_clock):
    given = lent(alice())
    conversations.keep(alice(), conversation=given.message.conversation.public_id)
    made = built()
    published()
    move_clock(days=31)
    assert begun().total == 0
    sealing.seal(made)
    assert rows(made) == [] and what_became(made) == {"resting"}
    decided(alice(), Training.DENY)
    assert begun().total == 1


def test_who_turns_out_to_have_been_under_age_lends_nothing():
    given = lent(alice())
    made = released()
    turn_out_young(given)
    assert len(dropped_by(made)) == 1 and begun().total == 0


# --- No ------------------------------------------------------------------------------------------


def test_a_no_leaves_the_whole_chat_out_and_is_counted():
    one, _ = allowed(alice(), "one", "two")
    rated(alice(), one, False)
    made = sealed()
    assert questions(made) == {"two"} and outcome(one, made) == "objected"
    assert manifest(made)["excluded"] == {"objected": 1}


@pytest.mark.parametrize("how", ["no", "withdrawn"])
def test_a_no_that_comes_after_the_chunk_or_the_release(how):
    one, _ = allowed(alice(), "one", "two")
    yes = rated(alice(), one, True) if how == "withdrawn" else None
    early, late = built(chunk=10), released()
    withdrawn(yes) if yes else rated(alice(), one, False)
    sealing.seal(early)
    assert questions(early) == {"two"} and outcome(one, early) == "objected"
    assert len(dropped_by(late)) == 1


def test_a_no_taken_back_lets_the_general_choice_stand_alone_again():
    one, _ = allowed(alice(), "one", "two")
    given = rated(alice(), one, False)
    taken_back(given)
    assert questions(built()) == {"one", "two"}


def test_a_no_to_one_exchange_does_not_touch_another_chats_yes():
    given = lent(alice())
    rated(alice(), given.message.conversation, False)
    assert questions(built()) == {"Lent?"}


# --- In words ------------------------------------------------------------------------------------


def test_the_page_says_that_exchanges_are_in_it_and_not_the_whole_chat(client):
    given = lent(alice())
    held = given.message.conversation
    made = released()
    rated(alice(), held, True)
    checking.check(manifest=made.manifest_hash, run="first")
    said = answer(client, held, ASKED)
    assert said.startswith("It is in 1 training set.") and "1 training run has used this chat" in said
    assert "Not the whole chat: 1 exchange that you allowed with your feedback." in said
    assert "You allowed 2 exchanges of it" in said
    released()
    said = answer(client, held, ASKED)
    assert said.startswith("It is in 2 training sets.") and "Not the whole chat: 2 exchanges" in said
