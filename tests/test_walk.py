"""Random walks: people, terms and time in any order, held against the plain rules (tests/rules.py) after each step."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client

from accounts import clock
from accounts.models import User, Workspace
from chat.models import Conversation, Message, SpentTurn
from privacy import gate, notices, policy, publishing, standings
from privacy.choices import Choice, choose
from privacy.errors import ConsentRequired, TooLateToDefer
from privacy.evidence.verifying import check_events
from privacy.models import Event, Standing, Terms
from privacy.publishing import NotPossible
from privacy.views.question import _tags
from privacy.vocabulary import Act, Source, Training
from tests import rules
from tests.choosing import UNDO
from tests.people import alice, bob, charlie, stella
from tests.rules import Somebody, Version
from tests.scenes import asked, published

PLANS = ("free", "pro", "max")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Walk:
    """Two people who have allowed and begun a chat, and what happens then. In every third walk one's age is unknown."""

    def __init__(self, seed: int, move_clock: Callable[..., None]) -> None:
        self.chance = random.Random(seed)
        self.move_clock, self.ahead = move_clock, timedelta(0)
        self.people: dict[User, Somebody] = {}
        second = (charlie(date_of_birth=None), False) if seed % 3 == 2 else (bob(), True)
        for user, adult in ((alice(), True), second):
            self.people[user] = Somebody(user.personal_workspace.plan, adult)
        first = Terms.objects.get(slug="1")
        assert first.published_at
        self.versions = [Version("1", first.published_at, None)]
        self.last: dict[User, Choice] = {}
        self.trail: list[str] = []
        self.staff = stella()
        for user in self.people:
            self.trail.append("begin")
            self.choose(user, "allow")
            self.turn(user)

    def step(self) -> None:
        often = [self.choose, self.choose, self.turn, self.defer, self.publish, self.time_passes, self.time_passes]
        seldom = [self.go_on, self.undo, self.change_plan, self.move]
        act: Any = self.chance.choice([*often, *often, *seldom])
        self.trail.append(act.__name__)
        act(self.chance.choice(list(self.people)))
        self.check()

    def note(self, *said: Any) -> None:
        self.trail[-1] += f" {' '.join(str(one) for one in said)}"

    # --- What happens ---------------------------------------------------------

    def publish(self, _: User) -> None:
        now, newest = clock.now(), self.versions[-1].published
        at = max(now, newest + HOUR) if newest > now else now
        at += self.chance.choice([timedelta(0), timedelta(0), 3 * DAY])
        needs = self.chance.random() < 0.8
        new = Version(
            slug=str(len(self.versions) + 1),
            published=at,
            deadline=at + self.chance.randint(1, 12) * DAY if needs and self.chance.random() < 0.85 else None,
            needs_answer=needs,
            audience=frozenset(self.chance.sample(PLANS, self.chance.randint(1, 3))),
            effective=at + 2 * DAY if self.chance.random() < 0.3 else None,
        )
        row = published(
            new.slug,
            deadline=new.deadline - clock.now() if new.deadline else None,
            published_at=at,
            needs_answer=needs,
            audience=sorted(new.audience),
            effective_at=new.effective,
        )
        new.deadline = row.deadline
        self.versions.append(new)
        self.note(new)

    def move(self, _: User) -> None:
        version = self.chance.choice(self.versions[-2:])
        to = version.due + self.chance.randint(-5, 30) * DAY
        self.note(version.slug, to)
        now = clock.now()
        possible = version.deadline is not None and version.published <= now and to > max(version.due, now)
        try:
            publishing.move_deadline(Terms.objects.get(slug=version.slug), to, "Mail was down.", by=self.staff)
        except NotPossible:
            assert not possible
        else:
            assert possible
            version.moves.append(to)

    def choose(self, user: User, training: str | None = None) -> None:
        person = self.people[user]
        to = rules.owed(person, self.versions, clock.now())
        terms = standings.owed_terms(user)
        assert (terms.slug if terms else None) == (to.slug if to else None)
        if terms is None or to is None:
            return
        training = (training or self.chance.choice(rules.ADULT_ANSWERS)) if person.adult else None
        keeps = self.chance.random() < 0.3
        self.note(user, to.slug, training, keeps)
        said = Training(training) if training else None
        made = choose(user=user, terms=terms, training=said, keep_history=keeps, source=Source.PAGE)
        assert (made.event is not None) is rules.choose(person, to, training, keeps)
        if made.event:
            self.last[user] = made

    def undo(self, user: User) -> None:
        """By the door that people use: it judges whether there is still something to take back."""
        person = self.people[user]
        token = _tags(self.last[user]).partition(" ")[2] if user in self.last else ""
        self.note(user, bool(token))
        client = Client()
        client.force_login(user)
        before = Event.objects.count()
        client.post(UNDO, {"undo": token})
        standing_now = rules.owed(person, self.versions, clock.now()) is person.answered
        if token and person.undoable and standing_now and person.answered:
            training, keeps = rules.undone(person)
            assert rules.choose(person, person.answered, training, keeps) and Event.objects.count() > before
            person.undoable = False
        else:
            assert Event.objects.count() == before

    def defer(self, user: User) -> None:
        person = self.people[user]
        terms, now = standings.owed_terms(user), clock.now()
        if terms is None:
            return
        self.note(user, terms.slug)
        form, _ = notices.form_for(user, terms, Source.DIALOG)
        notice = notices.shown(user, terms, form)
        before = Event.objects.filter(act=Act.DEFERRED).count()
        possible = rules.gate(person, self.versions, now)[0] == "ask"
        for _ in range(2):  # twice is once
            try:
                notices.defer(user, notice)
            except TooLateToDefer:
                assert not possible
            else:
                assert possible
        last = person.put_off.get(terms.slug)
        fresh = possible and (last is None or last + DAY <= now)
        if fresh:
            person.put_off[terms.slug] = clock.now()
        assert Event.objects.filter(act=Act.DEFERRED).count() == before + fresh

    def turn(self, user: User) -> None:
        person = self.people[user]
        self.note(user)
        if (number := self.begins(user, person, None)) is not None:
            rules.begin(person, number)

    def go_on(self, user: User) -> None:
        """What goes on keeps what it was begun under."""
        person = self.people[user]
        visible = Conversation.objects.filter(author=user).visible(clock.now()).order_by("pk")
        seen = self.chance.choice([*visible, None])
        self.note(user, seen)
        if seen:
            self.begins(user, person, seen)

    def begins(self, user: User, person: Somebody, within: Conversation | None) -> int | None:
        stopped = rules.gate(person, self.versions, clock.now())[0] == "stop"
        try:
            turn = asked(user, within=within)
        except ConsentRequired:
            assert stopped
            return None
        assert not stopped
        Message.objects.filter(pk=turn.answer.pk).update(state="complete")
        SpentTurn.objects.all().delete()
        return turn.conversation.pk

    def change_plan(self, user: User) -> None:
        person = self.people[user]
        person.plan = self.chance.choice(PLANS)
        self.note(user, person.plan)
        Workspace.objects.filter(personal_to=user).update(plan=person.plan)

    def time_passes(self, _: User) -> None:
        """Some hours or days; or to just before or just after a moment that counts."""
        moments = [m for one in self.versions for m in (one.published, one.due, one.effective) if m and m > clock.now()]
        if moments and self.chance.random() < 0.4:
            self.ahead += min(moments) - clock.now() + self.chance.choice([-1, 1]) * timedelta(seconds=20)
        else:
            self.ahead += self.chance.choice([HOUR, 25 * HOUR, 5 * DAY])
        self.move_clock(seconds=self.ahead.total_seconds())
        self.note(clock.now())

    # --- What must hold -----------------------------------------------------------

    def check(self) -> None:
        now = clock.now()
        for user, person in self.people.items():
            state, slug, deadline = rules.gate(person, self.versions, now)
            said = gate.gate_for(user, user.personal_workspace, at=now)
            assert (said.gate, said.terms, said.deadline) == (state, slug if state != "open" else "", deadline)
            assert said == gate.owed_by(user, at=now)
            self.check_standing(user, person, state)
        train = {number for one in self.people.values() for number, chat in one.chats.items()
                 if rules.trains(one, chat, self.versions, now)}  # fmt: skip
        assert set(Conversation.objects.trainable(now).values_list("pk", flat=True)) == train

    def check_standing(self, user: User, person: Somebody, state: str) -> None:
        with transaction.atomic():
            row = Standing.objects.for_turn(user.pk)
            facts = standings.as_facts(user, row)
        assert (row is not None and row.terms is not None) is (person.answered is not None)
        slug = row.terms.slug if row and row.terms else None
        assert slug == (person.answered.slug if person.answered else None)
        assert (facts.training, facts.keep_history, facts.epoch) == (person.training, person.keeps, person.epoch)
        assert policy.suspended(facts, clock.now()) is rules.rests(person, self.versions, clock.now())
        try:
            gate.require_open(user, user.personal_workspace, row, facts)
        except ConsentRequired:
            assert state == "stop"
        else:
            assert state != "stop"


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_in_whatever_order_the_rules_hold(seed, move_clock):
    walk = Walk(seed, move_clock)
    try:
        for _ in range(70):
            walk.step()
    except BaseException as error:
        error.add_note(f"seed {seed}:\n" + "\n".join(walk.trail))
        raise
    call_command("rebuild_standing", "--check")
    check_events(lambda: None)
