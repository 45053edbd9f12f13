"""Deleted means gone, and nothing else does: the sweep against real rows."""

from datetime import timedelta
from functools import partial

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection, models

from accounts import clock
from accounts.errors import NotFound
from accounts.models import User
from chat import access
from chat.models import Conversation, Message, SpentTurn
from chat.turns import conversations
from privacy import holdings
from privacy import scrub as scrubbing
from privacy import sweep as sweeping
from privacy.models import Event, SweepRun, Tombstone
from privacy.vocabulary import Act, Training
from tests import database
from tests.people import alice, bob, charlie, will, works
from tests.scenes import answered, asked_in, decided
from tests.threads import at_once


@pytest.mark.django_db
class TestDeletion:
    @pytest.fixture
    def deleted(self):
        decided(alice(), Training.ALLOW, keep_history=True)
        return conversations.delete(alice(), conversation=answered(alice()).conversation.public_id)

    def test_is_invisible_and_out_of_training_at_once(self, deleted):
        assert not Conversation.objects.visible(clock.now()).exists()
        assert not Conversation.objects.trainable(clock.now()).exists()
        with pytest.raises(NotFound):
            access.conversation_for(alice(), deleted.public_id)
        with pytest.raises(NotFound):
            access.message_for(alice(), deleted.messages.first().public_id)

    def test_is_purged_within_the_promised_time_and_not_before(self, deleted, move_clock):
        move_clock(hours=23, minutes=59)
        assert sweeping.sweep() is None and Message.objects.count() == 2
        move_clock(hours=24, minutes=1)
        run = sweeping.sweep()
        assert (run.purged, Conversation.objects.count(), Message.objects.count()) == (1, 0, 0)
        stone = Tombstone.objects.get()
        assert (stone.key, stone.cause) == (deleted.public_id, "deleted")
        event = Event.objects.get(act=Act.PURGED)
        assert event.detail["count"] == 1 and event.detail["root"] == sweeping.root([stone])

    def test_can_be_undone_for_some_seconds_and_then_no_more(self, deleted, move_clock):
        conversations.undelete(alice(), conversation=deleted.public_id)
        assert access.conversation_for(alice(), deleted.public_id).trains_until
        conversations.delete(alice(), conversation=deleted.public_id)
        move_clock(seconds=31)
        with pytest.raises(NotFound):
            conversations.undelete(alice(), conversation=deleted.public_id)

    def test_is_for_its_owner_alone(self):
        decided(alice(), Training.DENY)
        kept = answered(alice()).conversation
        for stranger in (bob(), charlie()):
            for act in (conversations.delete, conversations.undelete):
                with pytest.raises(NotFound):
                    act(stranger, conversation=kept.public_id)
        assert access.conversation_for(alice(), kept.public_id)


@pytest.mark.django_db
class TestExpiry:
    def test_each_class_goes_when_it_is_due_and_not_before(self, move_clock):
        decided(alice(), Training.DENY)
        decided(bob(), Training.ALLOW)
        decided(charlie(), Training.DENY, keep_history=True)
        standard, training, kept = (answered(person).conversation for person in (alice(), bob(), charlie()))
        work = asked_in(will(), works()).conversation
        move_clock(days=29)
        assert sweeping.sweep() is None
        move_clock(days=31)
        assert not Conversation.objects.visible(clock.now()).filter(pk=standard.pk).exists()
        sweeping.sweep()
        assert set(Conversation.objects.all()) == {training, kept, work}
        SweepRun.objects.all().delete()  # no run before: nothing is odd about five years
        move_clock(days=5 * 366)
        sweeping.sweep()
        assert set(Conversation.objects.all()) == {kept, work}

    def test_a_hold_is_never_due(self, move_clock):
        decided(alice(), Training.DENY)
        held = answered(alice()).conversation
        Conversation.objects.filter(pk=held.pk).update(held=True)
        move_clock(days=31)
        assert sweeping.sweep() is None

    def test_chunks_share_the_work_and_every_row_has_one_tombstone(self, move_clock):
        decided(alice(), Training.DENY)
        for _ in range(7):
            answered(alice())
        move_clock(days=31)
        run = sweeping.sweep(chunk=3)
        assert (run.purged, run.by_class, Tombstone.objects.count()) == (7, {"standard": 7}, 7)
        assert Event.objects.filter(act=Act.PURGED).count() == 3
        assert sweeping.sweep() is None and SweepRun.objects.filter(purged__gt=0).count() == 1


def test_a_chunk_that_fails_leaves_everything_as_it_was(committed, move_clock, monkeypatch):
    decided(alice(), Training.DENY)
    answered(alice())
    move_clock(days=31)
    monkeypatch.setattr(sweeping.ledger, "record", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sweeping.sweep()
    assert Conversation.objects.count() == 1 and Message.objects.count() == 2
    assert not Tombstone.objects.exists()


def test_two_sweeps_at_once_purge_everything_once(committed, move_clock):
    decided(alice(), Training.DENY)
    for _ in range(20):
        answered(alice())
    move_clock(days=31)
    assert at_once(*[partial(sweeping.sweep, chunk=2)] * 3) == []
    assert Conversation.objects.count() == 0 and Tombstone.objects.count() == 20


def reaches_people(model: type[models.Model], seen: frozenset[type[models.Model]] = frozenset()) -> bool:
    """Whether rows of `model` belong to a person, directly or through what they point to."""
    if model is User:
        return True
    targets = {
        field.related_model
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and isinstance(field.related_model, type)
    }
    return any(reaches_people(target, seen | {model}) for target in targets - seen - {model})


def test_every_model_that_belongs_to_a_person_is_in_a_holding():
    held = {model for holding in holdings.all_holdings() for model in holding.models}
    ours = [model for model in apps.get_models(include_auto_created=True) if reaches_people(model)]
    through_people = {"accounts.User_groups", "accounts.User_user_permissions"}  # rows of User itself
    assert {model._meta.label for model in ours if model not in held} <= through_people
    assert len(ours) > 5


def test_the_bytes_of_what_was_purged_are_overwritten_by_the_application_itself(committed, move_clock):
    """With the application's role, which owns no table; VACUUM alone would leave them in the page."""
    decided(alice(), Training.DENY)
    for _ in range(12):
        answered(alice(), answer="xanthic " * 200)
    decided(bob(), Training.ALLOW)
    answered(bob())
    _end_other_transactions()
    before = _bytes("chat_message")
    move_clock(days=31)
    sweeping.sweep()
    assert set(scrubbing.scrub()) == {"chat_conversation", "chat_message", *WITH_THEM}
    for _ in range(50):  # the database's own housekeeping may look at the rows for a moment
        if _bytes("chat_message") < before:
            break
        cache.delete(scrubbing.PAUSING)
        scrubbing.scrub()
    assert _bytes("chat_message") < before and Message.objects.count() == 2


def _end_other_transactions() -> None:
    """A thread of an earlier test may still look at old rows, and a rewrite keeps what anybody looks at."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )


def _bytes(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(%s)", [table])
        return int(cursor.fetchone()[0])


@pytest.mark.django_db
def test_the_databases_statistics_hold_no_samples_of_text():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relname IN ('chat_message', 'chat_conversation') AND attstattarget = 0"
        )
        assert {name for (name,) in cursor.fetchall()} == {"text", "html", "title"}


WITH_THEM = ("chat_feedback", "privacy_flag", "privacy_appeal")  # what was said of answers, and in reviews


def test_a_table_that_is_being_read_is_overwritten_later(committed, move_clock, monkeypatch):
    decided(alice(), Training.DENY)
    answered(alice())
    move_clock(days=31)
    sweeping.sweep()
    monkeypatch.setattr(scrubbing, "LOCK_SECONDS", 1)
    with database.owner() as backup, backup.transaction():
        backup.execute("SELECT 1 FROM chat_message")
        assert set(scrubbing.scrub()) == {"chat_conversation", *WITH_THEM}
    assert set(scrubbing.scrub()) == {"chat_conversation", "chat_message", *WITH_THEM}
    assert scrubbing.scrub() == []  # not again at once
    cache.delete(scrubbing.PAUSING)
    move_clock(days=31, minutes=11)
    assert set(scrubbing.scrub()) == {"chat_conversation", "chat_message", *WITH_THEM}
    cache.delete(scrubbing.PAUSING)
    assert scrubbing.scrub() == []  # and not for ever


@pytest.mark.django_db
def test_what_limited_and_what_signed_in_goes_when_it_has_served(client, move_clock):
    decided(alice(), Training.DENY, keep_history=True)
    client.force_login(alice())
    answered(alice())
    sweeping.sweep()
    assert SpentTurn.objects.count() == Session.objects.count() == 1
    move_clock(hours=6)
    sweeping.sweep()
    assert SpentTurn.objects.count() == 0 and Session.objects.count() == 1
    Session.objects.update(expire_date=clock.now() - timedelta(days=15))
    sweeping.sweep()
    assert Session.objects.count() == 0
