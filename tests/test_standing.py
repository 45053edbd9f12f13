"""One standing row per person, locked and read as it is now: races between turns, choices and birthdays."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connections, transaction

from accounts import clock
from accounts.changes import age_changed
from accounts.models import User
from chat.models import Conversation, Message
from chat.models.message import State
from privacy import standings
from privacy.choices import choose
from privacy.errors import BadAnswer
from privacy.models import Event, Standing
from privacy.vocabulary import Act, Source, Training
from tests.people import alice, bob, wendy, will, works
from tests.scenes import asked, asked_in, decided, published
from tests.threads import at_once

YEAR = timedelta(days=365)


def born(years_ago: int) -> Any:
    return (clock.now() - YEAR * years_ago).date()


@contextmanager
def meanwhile(person: User, act: Callable[[], Any]) -> Iterator[list[Any]]:
    """What `act` gives, or how it fails, in a thread that waits for the standing of `person` while this block runs."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(act())
        except Exception as error:
            outcome.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        Standing.objects.for_change(person)  # locked, and not yet changed
        thread.start()
        thread.join(0.3)
        yield outcome
        assert outcome == []  # it waits for the lock
    thread.join()


def test_a_turn_and_a_withdrawal_at_the_same_moment(committed):
    """Whoever comes first: no conversation is left that trains without a standing Allow."""
    person = wendy()
    decided(person, Training.ALLOW)
    for _ in range(15):
        assert at_once(partial(asked, person), partial(decided, person, Training.DENY)) == []
        assert not Conversation.objects.filter(trains_until__isnull=False).exists()
        decided(person, Training.ALLOW)
        Message.objects.open().update(state=State.COMPLETE)


def test_a_turn_waits_for_a_choice_that_is_being_made(committed):
    """With the standing row locked by a choice, a turn does not begin under the old standing."""
    person = alice()
    decided(person, Training.ALLOW)
    with meanwhile(person, lambda: asked(person).conversation.trains_until) as begun:
        decided(person, Training.DENY)
    assert begun == [None]


def test_a_choice_waits_for_another_and_answers_what_that_left(committed):
    """Without the lock, the second would find the Allow of before still standing, and record nothing."""
    person = alice()
    decided(person, Training.ALLOW)
    with meanwhile(person, lambda: decided(person, Training.ALLOW).epoch) as epochs:
        decided(person, Training.DENY)
    assert epochs == [3]
    acts = [event.act for event in Event.objects.of(person) if event.act != Act.TERMS_ACCEPTED]
    assert acts == [Act.TRAINING_ALLOWED, Act.TRAINING_WITHDRAWN, Act.TRAINING_ALLOWED]
    assert Standing.objects.get(user=person).training == Training.ALLOW


def test_two_first_answers_at_once_have_one_order(committed):
    person = wendy()
    assert at_once(*(partial(decided, person, training) for training in Training)) == []
    acts = [event.act for event in Event.objects.of(person).order_by("pk") if event.act != Act.TERMS_ACCEPTED]
    assert acts in (
        [Act.TRAINING_ALLOWED, Act.TRAINING_WITHDRAWN],
        [Act.TRAINING_DENIED, Act.TRAINING_ALLOWED],
    )
    row = Standing.objects.get(user=person)
    assert row.training == (Training.ALLOW if acts[-1] == Act.TRAINING_ALLOWED else Training.DENY)
    assert row.epoch == (1 if row.training == Training.ALLOW else 2)


def test_what_is_read_after_a_wait_is_whole(committed):
    """Terms and person are those of after the wait, not those that the waiting statement had in view."""
    person = alice()
    decided(person, Training.ALLOW)
    new = published()

    @transaction.atomic
    def read():
        row = Standing.objects.for_change(person)
        return row.terms, row.user.display_name

    with meanwhile(person, read) as found:
        decided(person, Training.ALLOW)
        User.objects.filter(pk=person.pk).update(display_name="Alice Anew")
    assert found == [(new, "Alice Anew")]


@pytest.mark.django_db
class TestAge:
    def test_an_age_that_is_given_later_makes_every_tag_true_again(self, client):
        ageless = bob(date_of_birth=None)
        decided(ageless, None)
        conversation = asked(ageless).conversation
        client.force_login(ageless)
        form = {"display_name": "Bob", "locale": "en", "time_zone": "UTC", "region": "", "date_of_birth": "1990-05-17"}
        client.post("/account/profile/", form)
        conversation.refresh_from_db()
        assert conversation.author.date_of_birth and conversation.tag_reason == "undecided"

    def test_an_allow_of_somebody_who_is_not_of_age_ends_for_good(self):
        decided(alice(), Training.ALLOW)
        conversation = asked(alice()).conversation
        person = alice()
        person.date_of_birth = (clock.now() - timedelta(days=365 * 17)).date()
        person.save()
        age_changed(person)
        conversation.refresh_from_db()
        assert (conversation.trains_until, conversation.tag_reason) == (None, "age")
        assert Standing.objects.get(user=person).training is None
        person.date_of_birth = (clock.now() - timedelta(days=365 * 30)).date()
        person.save()
        age_changed(person)
        decided(person, Training.ALLOW)
        conversation.refresh_from_db()
        assert (conversation.trains_until, conversation.tag_reason) == (None, "begun_before")

    def test_an_answer_is_judged_by_the_age_that_stands_now(self):
        loaded_before = alice()
        User.objects.filter(pk=loaded_before.pk).update(date_of_birth=born(17))
        with pytest.raises(BadAnswer):
            decided(loaded_before, Training.ALLOW)
        assert not Event.objects.exists()
        decided(loaded_before, None)

    def test_a_turn_is_judged_by_the_age_that_stands_now(self):
        loaded_before = alice()
        decided(loaded_before, Training.ALLOW)
        User.objects.filter(pk=loaded_before.pk).update(date_of_birth=born(17))
        conversation = asked(loaded_before).conversation
        assert (conversation.begun_epoch, conversation.trains_until, conversation.tag_reason) == (None, None, "age")

    def test_so_is_one_of_somebody_who_has_answered_nothing(self):
        loaded_before = will()
        assert asked_in(loaded_before, works()).conversation.tag_class == "agreement"
        assert standings.as_facts(loaded_before, None).adult_since < clock.now().date()
        User.objects.filter(pk=loaded_before.pk).update(date_of_birth=None)
        assert standings.as_facts(loaded_before, None).adult_since is None


def test_an_answer_waits_for_a_birthday_that_is_being_corrected(committed):
    person = alice()
    terms = standings.owed_terms(person)

    def allow() -> Any:
        return choose(user=person, terms=terms, training=Training.ALLOW, keep_history=None, source=Source.PAGE)

    decided(person, Training.DENY)
    with meanwhile(person, allow) as answers:
        other = User.objects.get(pk=person.pk)
        other.date_of_birth = born(17)
        other.save()
        age_changed(other)
    assert [type(answer) for answer in answers] == [BadAnswer]
    assert Standing.objects.get(user=person).training is None
