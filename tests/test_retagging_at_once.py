"""Re-tags in pieces with real commits: several workers, newer answers, and turns that begin while an answer changes."""

import os
import threading
from collections.abc import Callable

import pytest
from django.db import connections

from accounts import clock
from chat.models import Conversation, Message, SpentTurn
from privacy import checking, retagging
from privacy.models import Retagging
from privacy.vocabulary import Training
from tests import many
from tests.people import alice
from tests.scenes import asked, decided
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("committed")
ALLOW, DENY = Training.ALLOW, Training.DENY
TIMES = int(os.environ.get("RACES", "200"))


@pytest.fixture(autouse=True)
def in_pieces(request, settings, monkeypatch) -> None:
    """More than three are many, and a chunk is five."""
    settings.RETAG_AT_ONCE = 3
    monkeypatch.setattr(retagging, "CHUNK", 5)


def test_two_at_once_do_it_once():
    decided(alice(), DENY)
    many.conversations(alice(), times=4)
    decided(alice(), ALLOW)
    step = Retagging.objects.get()
    assert at_once(*[lambda: retagging.work(step.pk)] * 3) == []
    many.carry_on()
    step.refresh_from_db()
    assert (step.done, step.total) == (64, 64) and step.finished_at
    found = checking.check(slow=True)
    assert (found.drifted, found.waiting) == (0, 0)


def test_a_newer_answer_is_not_overwritten_by_a_worker_at_the_older():
    for newer, older in ((DENY, ALLOW), (ALLOW, DENY)):
        decided(alice(), newer)
        many.carry_on()
        many.conversations(alice(), times=2)
        decided(alice(), older)
        step = Retagging.objects.open().get()
        assert at_once(lambda: retagging.work(step.pk), lambda: decided(alice(), newer)) == []  # noqa: B023
        many.carry_on()
        found = checking.check(slow=True)
        assert (found.drifted, found.waiting, found.examples) == (0, 0, [])


# --- A turn that begins while the permission is withdrawn --------------------------------


class Rounds:
    """Threads with a connection of their own each, which do their acts together, round after round."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self.together, self.raised = threading.Barrier(len(acts) + 1), list[BaseException]()
        self.over = False
        self.threads = [threading.Thread(target=self._run, args=[act]) for act in acts]
        for thread in self.threads:
            thread.start()

    def _run(self, act: Callable[[], object]) -> None:
        try:
            while True:
                self.together.wait(30)
                if self.over:
                    return
                try:
                    act()
                except Exception as error:
                    self.raised.append(error)
                self.together.wait(30)
        finally:
            connections.close_all()

    def one(self) -> None:
        self.together.wait(30)
        self.together.wait(30)

    def end(self) -> None:
        self.over = True
        self.together.wait(30)
        for thread in self.threads:
            thread.join(30)


def test_a_turn_that_begins_as_the_permission_is_withdrawn_never_leaves_one_that_trains(settings):
    """Begun anew and gone on with by turns; a thousand times with RACES=1000, which takes two minutes."""
    settings.RETAG_AT_ONCE = 10_000
    person = alice()
    decided(person, ALLOW)
    goes_on: list[Conversation | None] = [None]
    rounds = Rounds(lambda: asked(person, within=goes_on[0]), lambda: decided(person, DENY))
    begun_first = 0
    try:
        for number in range(TIMES):
            if number:
                decided(person, ALLOW)
            Message.objects.open().update(state=Message.State.COMPLETE)
            SpentTurn.objects.all().delete()
            goes_on[0] = Conversation.objects.order_by("?").first() if number % 2 else None
            rounds.one()
            assert rounds.raised == []
            assert not Conversation.objects.trainable(clock.now()).exists()
            assert not Conversation.objects.filter(trains_until__isnull=False).exists()
            if not number % 2:
                begun_first += Conversation.objects.latest("pk").begun_epoch is not None
            if number % 100 == 99:  # few of them, or re-tagging all of them is what takes the time
                assert checking.check().drifted == 0
                Conversation.objects.all().delete()
    finally:
        rounds.end()
    assert 0 < begun_first < TIMES / 2, "one of the two was always first: nothing was raced"
