"""An erasure that is interrupted, lost, asked twice or met by something else comes to the same end."""

from functools import partial

import pytest
from django.core.management import call_command
from django.db import transaction
from django.urls import reverse

from accounts import clock
from accounts.errors import NotFound
from accounts.models import Membership, User
from chat.models import Conversation, Message, SpentTurn
from privacy import erasure, holdings, leaving, tasks
from privacy.errors import SoleOwner
from privacy.models import Erasure, Event, Notice, Standing, Subject
from privacy.vocabulary import Act, Training
from tests.answering import WORDS, apart, eventually, in_background, journal, script, text_of
from tests.leaving import CANARY, erased, found, settled
from tests.ledgers import bad
from tests.people import alice, stella, wendy, will, works
from tests.scenes import answered, asked, asked_in, decided
from tests.threads import at_once


class TestInterrupted:
    def test_killed_after_any_step_it_is_taken_up_again(self, committed):
        """One step more each time, then a new start from nothing, as after a kill."""
        person = settled()
        leaving.leave(user=person)
        kills = 0
        while next(killed := erasure.steps(person.pk), None) is not None:
            killed.close()
            kills += 1
            assert kills < 30, "it never comes to an end"
            call_command("rebuild_standing", "--check")
            assert bad() == [] and not Conversation.objects.trainable(clock.now()).exists()
            assert Erasure.objects.count() == User.objects.filter(pk=person.pk).count()
        assert kills > 8 and not User.objects.filter(pk=person.pk).exists()
        assert Event.objects.filter(act=Act.ERASED).count() == 1
        assert [word for word in (person.email, "Fenwick", CANARY) if found(word)] == []

    def test_a_lost_task_is_found_and_sent_again(self, db, monkeypatch, move_clock):
        sent: list[int] = []
        monkeypatch.setattr(tasks.erase, "delay", sent.append)
        leaving.leave(user=alice())
        tasks.erase_the_rest()
        assert sent == []  # its own task has time to come
        move_clock(minutes=3)
        tasks.erase_the_rest()
        tasks.erase_the_rest()
        assert sent == [alice().pk]
        move_clock(minutes=6)
        tasks.erase_the_rest()
        assert sent == [alice().pk] * 2
        tasks.erase(alice().pk)
        tasks.erase(alice().pk)  # twice, and after the end
        move_clock(minutes=9)
        tasks.erase_the_rest()
        assert len(sent) == 2 and not Erasure.objects.exists()

    def test_what_has_to_wait_is_looked_at_now_and_then(self, db, monkeypatch, move_clock):
        sent: list[int] = []
        monkeypatch.setattr(tasks.erase, "delay", sent.append)
        decided(alice(), Training.DENY)
        Conversation.objects.filter(pk=answered(alice()).conversation.pk).update(held=True)
        leaving.leave(user=alice())
        assert not erasure.erase(alice().pk)
        for minutes, times in ((30, 0), (61, 1), (63, 1), (122, 2)):
            move_clock(minutes=minutes)
            tasks.erase_the_rest()
            assert len(sent) == times
        Conversation.objects.update(held=False, purge_after=clock.now())
        assert erasure.erase(sent[0])

    def test_while_a_sweep_is_at_its_rows_it_comes_back_soon(self, committed, monkeypatch):
        decided(alice(), Training.DENY)
        answered(alice())
        person = alice()
        leaving.leave(user=person)
        with transaction.atomic():
            list(Conversation.objects.select_for_update())
            assert apart(erasure.erase, person.pk).result(20) is False
        assert len(Erasure.objects.get().remaining) > 1 and Subject.objects.filter(user=person).exists()
        assert erasure.erase(person.pk)

    def test_it_says_what_is_left(self, db, client):
        leaving.leave(user=settled())
        assert set(Erasure.objects.get().remaining) == {holding.name for holding in holdings.all_holdings()}
        client.force_login(stella())
        page = client.get(reverse("admin:privacy_erasure_changelist"))
        assert page.status_code == 200 and "conversations" in page.content.decode()


class TestAtOnce:
    def test_while_an_answer_is_written(self, committed):
        decided(alice(), Training.DENY)
        person, turn = alice(), asked(alice(), script(words=300, delay=0.02))
        running = in_background(turn.answer.pk)
        eventually(lambda: len(journal(turn.answer)) > 2)
        leaving.leave(user=person)
        running.join(5)
        assert not running.is_alive() and journal(turn.answer) == []
        text = text_of(turn.answer)
        assert turn.answer.state == "stopped" and text != WORDS
        assert erasure.erase(person.pk)
        assert not Message.objects.exists() and journal(turn.answer) == []

    def test_while_an_answer_is_written_at_work(self, committed):
        decided(will(), Training.DENY)
        person, turn = will(), asked_in(will(), works(), script(words=300, delay=0.02))
        running = in_background(turn.answer.pk)
        eventually(lambda: len(journal(turn.answer)) > 2)
        erased(person)
        running.join(5)
        assert not running.is_alive()
        assert text_of(turn.answer) != WORDS and turn.answer.state == "stopped"

    @pytest.mark.parametrize("attempt", range(3))
    def test_with_a_choice_and_a_turn(self, committed, attempt):
        decided(alice(), Training.DENY)
        answered(alice())
        person = alice()
        raised = at_once(
            partial(leaving.leave, user=person), partial(decided, person, Training.ALLOW), partial(asked, person)
        )
        assert all(isinstance(error, NotFound) for error in raised)
        assert not Conversation.objects.visible(clock.now()).exists()
        assert not Conversation.objects.trainable(clock.now()).exists()
        assert erasure.erase(person.pk)
        assert not Conversation.objects.exists() and not Standing.objects.exists()
        assert bad() == []

    def test_two_owners(self, committed):
        owners = [wendy(), will()]
        Membership.objects.filter(workspace=works()).update(role="owner")
        raised = at_once(*[partial(leaving.leave, user=owner) for owner in owners])
        assert [type(error) for error in raised] == [SoleOwner]
        assert works().memberships.filter(role="owner", user__is_active=True).count() == 1

    def test_two_tabs_and_two_workers(self, committed):
        person = settled()
        assert at_once(*[partial(leaving.leave, user=person)] * 2) == []
        assert Erasure.objects.count() == 1
        assert at_once(*[partial(erasure.erase, person.pk)] * 3) == []
        while not erasure.erase(person.pk):
            pass
        assert Event.objects.filter(act=Act.ERASED).count() == 1 and not User.objects.filter(pk=person.pk).exists()
        assert SpentTurn.objects.count() == 0 and Notice.objects.count() == 0
