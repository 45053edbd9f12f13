"""After any day of random use no tag has drifted: chats, choices, agreements, holds, re-tags in pieces and the sweep,
in any order, by several people. The set-based comparison and the one row by row agree.
"""

import random
from collections.abc import Callable
from typing import Any

import pytest

from accounts.errors import NotFound
from accounts.models import User
from chat.errors import Refused
from chat.models import Conversation, Message, SpentTurn
from chat.turns import acts as turns
from chat.turns import conversations as acts
from privacy import checking, deleting, holds, keeping, retagging, signing, sweep
from privacy.errors import ConsentRequired, StaleAnswer
from privacy.models import Hold, Retagging
from privacy.selection import Selection
from privacy.vocabulary import Source, Training
from tests import many
from tests.people import alice, bob, max_, stella, wendy, will, works
from tests.scenes import asked, asked_in, decided, published

pytestmark = pytest.mark.django_db
REFUSED = (NotFound, Refused, ConsentRequired, StaleAnswer, holds.AlreadyReleased)
HOURS = [0.2, 1, 5, 23, 26, 24 * 6, 24 * 31]


class Day:
    """People who do anything, one thing after the other."""

    def __init__(self, seed: int, move_clock: Callable[..., None]) -> None:
        self.chance, self.move_clock, self.hours = random.Random(seed), move_clock, 0.0
        self.people = [alice(), bob(), max_(), will(), wendy()]
        for person in self.people[:3]:
            decided(person, self.chance.choice(list(Training)), keep_history=self.chance.random() < 0.3)
        self.terms = 1
        self.acts: dict[Callable[[User], object], int] = {
            self.begins: 8, self.goes_on: 6, self.keeps: 3, self.lets_go: 3, self.deletes: 3, self.takes_back: 2,
            self.deletes_many: 1, self.decides: 4, self.signs: 2, self.is_held: 2, self.is_released: 2,
            self.works_on: 3, self.sweeps: 2, self.time_passes: 4, self.terms_change: 1, self.birthday_is_known: 1,
        }  # fmt: skip

    def step(self) -> str:
        """One act; what is refused is refused."""
        act = self.chance.choices(list(self.acts), list(self.acts.values()))[0]
        Message.objects.open().update(state=Message.State.COMPLETE)
        SpentTurn.objects.all().delete()
        try:
            act(User.objects.get(pk=self.chance.choice(self.people).pk))
        except REFUSED as refused:
            return f"{act.__name__}: {type(refused).__name__}"
        return act.__name__

    def one_of(self, user: User, **more: Any) -> Conversation:
        rows = list(Conversation.objects.filter(author=user, **more).order_by("pk"))
        if not rows:
            raise NotFound
        return self.chance.choice(rows)

    def begins(self, user: User) -> None:
        if user in self.people[3:]:
            asked_in(user, works())
        else:
            said: dict[str, Any] = {"conversation": None, "parent": None, "temporary": self.chance.random() < 0.2}
            turns.ask(user, workspace=user.personal_workspace.public_id, text="What is a promise?", **said)

    def goes_on(self, user: User) -> None:
        asked(user, within=self.one_of(user))

    def keeps(self, user: User) -> None:
        acts.keep(user, conversation=self.one_of(user).public_id)

    def lets_go(self, user: User) -> None:
        keeping.let_go(Selection(user, frozenset([self.one_of(user).public_id])))

    def deletes(self, user: User) -> None:
        acts.delete(user, conversation=self.one_of(user).public_id)

    def takes_back(self, user: User) -> None:
        acts.undelete(user, conversation=self.one_of(user, deleted_at__isnull=False).public_id)

    def deletes_many(self, user: User) -> None:
        keys = [self.one_of(user).public_id for _ in range(2)]
        deleting.delete(Selection(user, frozenset(keys)))

    def decides(self, user: User) -> None:
        if user not in self.people[3:]:
            decided(user, self.chance.choice(list(Training)), keep_history=self.chance.random() < 0.3)

    def signs(self, _user: User) -> None:
        seen = getattr(getattr(works(), "agreed", None), "agreement_id", None)
        said: dict[str, Any] = {"source": Source.SETTINGS, "seen": seen, "training": self.chance.random() < 0.5}
        signing.sign(owner=wendy(), workspace=works(), retention_days=self.chance.choice([None, 1, 40]), **said)

    def is_held(self, user: User) -> None:
        target: Any = self.chance.choice([user, user.personal_workspace, works(), self.one_of(user)])
        if not Hold.objects.standing().exists() or self.chance.random() < 0.3:
            holds.place(target, "Claim", by=stella())

    def is_released(self, _user: User) -> None:
        standing = list(Hold.objects.standing().order_by("pk"))
        if standing:
            holds.release(self.chance.choice(standing), "Settled", by=stella())

    def works_on(self, _user: User) -> None:
        """A worker does a part of what waits, or all of it."""
        waiting, left = Retagging.objects.open().first(), iter([False] * self.chance.randrange(1, 4))
        if waiting:
            retagging.work(waiting.pk, stopping=lambda: next(left, True))

    def sweeps(self, _user: User) -> None:
        sweep.sweep()

    def time_passes(self, _user: User) -> None:
        self.hours += self.chance.choice(HOURS)
        self.move_clock(hours=self.hours)

    def terms_change(self, _user: User) -> None:
        self.terms += 1
        published(str(self.terms), standard_days=self.chance.choice([20, 30, 45]), training_years=5)

    def birthday_is_known(self, user: User) -> None:
        if user in self.people[3:]:
            user.date_of_birth = "1990-05-17"
            user.save(update_fields=["date_of_birth"])


@pytest.mark.parametrize("seed", range(6))
def test_no_tag_drifts(seed, settings, monkeypatch, move_clock):
    settings.RETAG_AT_ONCE, settings.SWEEP_LIMIT_COUNT = 5, 10_000
    settings.SWEEP_LARGEST_GAP_DAYS = 10_000
    monkeypatch.setattr(retagging, "CHUNK", 3)
    day, told = Day(seed, move_clock), []
    for number in range(240):
        told.append(day.step())
        if number % 20 == 19:
            fast, slow = checking.check(record=False), checking.check(record=False, slow=True)
            assert (fast.drifted, fast.examples) == (0, []), told[-20:]
            assert (slow.drifted, slow.examples) == (0, []), told[-20:]
    many.carry_on()
    found = checking.check()
    assert (found.drifted, found.waiting, found.examples) == (0, 0, []), told[-20:]
    assert found.checked > 5
    done = {one for one in told if ":" not in one}
    assert len(done) >= len(day.acts) - 2, "nearly each was done at least once"
