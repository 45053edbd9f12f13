"""The policy beside the plain rules (tests/oracle.py), both without a database, for a million steps. By hand.

    uv run python -m tests.bench.rules [--steps 1000000] [--seed 7]

Houses of two people and a firm, in which anything happens in any order. After each step every chat must have the class,
the ends and the permission that the rules say, by the product's own policy and its rules for one row (`tagging.delete`,
`restore`, `Tagged.facts`). What re-tags do set-based in SQL, a test of its own holds against the same policy.
"""

import argparse
import os
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import UUID

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from accounts import clock  # noqa: E402
from privacy import policy, tagging  # noqa: E402
from privacy.models import Tagged  # noqa: E402
from privacy.vocabulary import Reason, RetentionClass, Training  # noqa: E402
from tests import oracle, rules  # noqa: E402

BEGUN, STEPS_OF_A_HOUSE = datetime(1904, 2, 29, 12, tzinfo=UTC), 250
FIRM, PEOPLE = "firm", ("ann", "ben")
GROWN = date(1880, 1, 1)
PLACES = {name: SimpleNamespace(is_personal=not name) for name in ("", FIRM)}


@dataclass(eq=False)
class Row:
    """What the product stores of one chat, and reads of it as it reads a row of its table."""

    begun_at: datetime
    last_activity_at: datetime
    workspace: Any
    agreement: policy.Agreement
    begun_epoch: int | None = None
    temporary: bool = False
    kept: bool = False
    deleted_at: datetime | None = None
    flagged_at: datetime | None = None
    held: bool = False
    grace_until: datetime | None = None
    tag_class: RetentionClass = RetentionClass.STANDARD
    tag_reason: Reason = Reason.UNDECIDED
    tag_epoch: int = 0
    trains_until: datetime | None = None
    hidden_from: datetime | None = None
    purge_after: datetime | None = None

    facts: ClassVar[Any] = Tagged.facts
    put_tag: ClassVar[Any] = Tagged.put_tag
    tag: ClassVar[Any] = Tagged.tag


class Days:
    """One house: by the product's policy (`rows`, `standings`), and by the rules (`house`)."""

    def __init__(self, seed: int) -> None:
        self.chance, self.now = random.Random(seed), BEGUN
        self.number, self.trail = count(1), list[str]()
        versions = [rules.Version("1", BEGUN - timedelta(days=1), None)]
        people = {name: rules.Somebody("free", name == "ann" or self.chance.random() < 0.8) for name in PEOPLE}
        self.house = oracle.House(people, {FIRM: oracle.Firm(set(PEOPLE))}, versions)
        self.standings = {
            name: policy.Standing(adult_since=GROWN if one.adult else None) for name, one in people.items()
        }
        self.schedules = dict.fromkeys(PEOPLE, policy.Schedule())
        self.agreement = policy.Agreement()
        self.rows: dict[UUID, Any] = {}  # of Row, which stands for Tagged
        self.acts = {
            self.writes: 6, self.goes_on: 5, self.chooses: 5, self.signs: 2, self.keeps: 3, self.deletes: 3,
            self.takes_back: 2, self.is_flagged: 2, self.is_unflagged: 2, self.is_held: 2, self.is_released: 2,
            self.time_passes: 6, self.terms_change: 1, self.is_swept: 1,
        }  # fmt: skip

    def step(self) -> str:
        act = self.chance.choices(list(self.acts), list(self.acts.values()))[0]
        self.trail.append(act.__name__)
        with clock.back_at(self.now):
            act()
            self.compare()
        self.now += timedelta(seconds=1)
        return act.__name__

    # --- What happens -------------------------------------------------------------

    def writes(self) -> None:
        who, firm = self.chance.choice(PEOPLE), self.chance.choice(["", "", FIRM])
        if firm or rules.gate(self.house.people[who], self.house.versions, self.now)[0] != "stop":
            key, temporary = UUID(int=next(self.number)), self.chance.random() < 0.2
            row = Row(self.now, self.now, PLACES[firm], self.agreement, temporary=temporary)
            standing = self.standing(who)
            allowed = self.agreement.training if firm else standing.training is Training.ALLOW and not self.rests(who)
            grown = standing.adult_since is not None and row.begun_at.date() >= standing.adult_since
            row.begun_epoch = self.epoch(who, firm) if allowed and grown else None
            row.held = any(hold.person == who or (firm and hold.firm == firm) for hold in self.house.holds.values())
            self.rows[key] = row
            self.house.write(key, who, firm, self.now, temporary=temporary)
            self.tag(key)

    def goes_on(self) -> None:
        for key in self.one_of(self.seen()):
            talk = self.house.talks[key]
            if talk.firm or rules.gate(self.house.people[talk.author], self.house.versions, self.now)[0] != "stop":
                self.rows[key].last_activity_at = self.now
                self.house.write(key, talk.author, talk.firm, self.now)
                self.tag(key)

    def chooses(self) -> None:
        who = self.chance.choice(PEOPLE)
        person, keeps = self.house.people[who], self.chance.random() < 0.3
        answer = self.chance.choice(["allow", "allow", "deny"]) if person.adult else None
        before, training = self.standings[who], Training(answer) if answer else None
        epoch = before.epoch + policy.breaks(before.training, training)
        self.house.choose(who, answer, keeps, self.now)
        self.standings[who] = policy.Standing(training, keeps, epoch, before.adult_since)
        assert person.answered
        self.schedules[who] = policy.Schedule(standard=policy.Duration(days=person.answered.standard_days))
        self.retag(author=who)

    def signs(self) -> None:
        days, trains = self.chance.choice([None, 1, 20, 400]), self.chance.random() < 0.5
        epoch = self.agreement.epoch + (trains != self.agreement.training)
        self.agreement = policy.Agreement(policy.Duration(days=days) if days else None, trains, epoch)
        for key in self.rows:
            self.rows[key].agreement = self.agreement
        self.house.sign(FIRM, days, trains, self.now)
        self.retag(firm=FIRM)

    def keeps(self) -> None:
        for key in self.one_of(self.seen()):
            kept, talk = self.chance.random() < 0.5, self.house.talks[key]
            if not talk.firm or talk.temporary:
                self.rows[key].kept = kept
                self.house.keep(key, kept, self.now)
                self.retag(key)

    def deletes(self) -> None:
        for key in self.one_of(self.seen()):
            tagging.delete(self.rows[key], self.standing(self.house.talks[key].author), self.schedule(key))
            self.house.delete(key, self.now)

    def takes_back(self) -> None:
        fresh = [
            key for key, talk in self.house.talks.items() if talk.deleted and self.now - talk.deleted < oracle.UNDO
        ]
        for key in self.one_of(fresh):
            tagging.restore(self.rows[key], self.standing(self.house.talks[key].author), self.schedule(key))
            self.house.undelete(key, self.now)

    def is_flagged(self) -> None:
        for key in self.one_of([key for key, talk in self.house.talks.items() if not talk.flagged]):
            self.rows[key].flagged_at = self.now
            self.house.flag(key, self.now)
            self.retag(key)

    def is_unflagged(self) -> None:
        for key in self.one_of([key for key, talk in self.house.talks.items() if talk.flagged]):
            self.give_notice(key)
            self.rows[key].flagged_at = None
            self.house.unflag(key, self.now)
            self.retag(key)

    def is_held(self) -> None:
        key = next(iter(self.one_of(list(self.rows))), None)
        laid = self.chance.choice([oracle.Hold(person=self.chance.choice(PEOPLE)), oracle.Hold(firm=FIRM)])
        hold = oracle.Hold(talk=key) if key and self.chance.random() < 0.6 else laid
        self.house.hold(next(self.number), hold, self.now)
        for covered in [one for one, talk in self.house.talks.items() if self.house._covers(hold, one, talk)]:
            self.rows[covered].held = True
            self.retag(covered)

    def is_released(self) -> None:
        for number in self.one_of(list(self.house.holds)):
            released = self.house.holds[number]
            covered = [one for one, talk in self.house.talks.items() if self.house._covers(released, one, talk)]
            self.house.release(number, self.now)
            for key in covered:
                if self.rows[key].held and not self.house.talks[key].held:
                    self.give_notice(key)
                    self.rows[key].held = False
                self.retag(key)

    def time_passes(self) -> None:
        self.now += timedelta(hours=self.chance.choice([1, 5, 23, 26, 24 * 6, 24 * 31, 24 * 400, 24 * 366 * 5]))

    def terms_change(self) -> None:
        days = self.chance.choice([None, 3, 20])
        deadline = self.now + timedelta(days=days) if days else None
        slug, standard = str(len(self.house.versions) + 1), self.chance.choice([20, 30, 45])
        needs = self.chance.random() < 0.7
        self.house.versions.append(rules.Version(slug, self.now, deadline, needs_answer=needs, standard_days=standard))

    def is_swept(self) -> None:
        due = self.house.due(self.now)
        assert due == {key for key, row in self.rows.items() if row.purge_after and row.purge_after <= self.now}
        for key in due:
            del self.rows[key]
        self.house.purge(due, self.now)

    # --- What the product makes of it -----------------------------------------------

    def rests(self, who: str) -> bool:
        return rules.rests(self.house.people[who], self.house.versions, self.now)

    def standing(self, who: str) -> policy.Standing:
        return self.standings[who]

    def epoch(self, who: str, firm: str) -> int:
        return policy.epoch(self.standings[who], self.agreement, personal=not firm)

    def schedule(self, key: UUID) -> policy.Schedule:
        talk = self.house.talks[key]
        return policy.Schedule(agreement=self.agreement) if talk.firm else self.schedules[talk.author]

    def tag(self, key: UUID) -> None:
        tagging.tag(self.rows[key], self.standing(self.house.talks[key].author), self.schedule(key))

    def retag(self, *keys: UUID, author: str = "", firm: str = "") -> None:
        """As `tagging.columns` says it in SQL: a promise where the new end would come too soon, then the verdict."""
        mine = [key for key, talk in self.house.talks.items() if talk.firm == firm and author in ("", talk.author)]
        for key in keys or mine:
            row, who = self.rows[key], self.house.talks[key].author
            lives = row.deleted_at is None and (row.hidden_from is None or row.hidden_from > self.now)
            facts = row.facts(self.standing(who))
            ruled = policy.rule(facts.flags, self.standing(who), self.schedule(key))
            if lives and ruled.lifetime and ruled.retention_class is not RetentionClass.TEMPORARY:
                end = ruled.lifetime.after(row.last_activity_at)
                row.grace_until = policy.grace(row.hidden_from, end, self.now) or row.grace_until
            self.tag(key)

    def give_notice(self, key: UUID) -> None:
        row, soon = self.rows[key], self.now + policy.NOTICE
        if row.deleted_at is None and row.hidden_from and row.hidden_from < soon:
            row.grace_until = max(row.grace_until or soon, soon)

    # --- What must hold -------------------------------------------------------------

    def compare(self) -> None:
        for key, talk in self.house.talks.items():
            row, house = self.rows[key], self.house
            stored = (row.tag_class, row.trains_until, row.hidden_from, row.purge_after)
            said = (house.sort(talk), house.trains_until(talk), house.hidden_from(talk))
            assert stored == (*said, house.purged_after(talk, self.now)), (key, talk, row, self.trail[-20:])
            standing = self.standings[talk.author]
            if self.rests(talk.author):
                standing = policy.Standing(**{**vars(standing), "suspended_from": self.now})
            trains = policy.trains(
                row.facts(standing).flags, row.tag, row.tag_epoch, standing, self.agreement, self.now
            )
            assert trains == house.trains(talk, self.now), (key, talk, row)

    def one_of(self, these: list[Any]) -> list[Any]:
        return [self.chance.choice(these)] if these else []

    def seen(self) -> list[UUID]:
        return [key for key, talk in self.house.talks.items() if self.house.visible(talk, self.now)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    done, began = Counter[str](), time.perf_counter()
    for house in range(options.steps // STEPS_OF_A_HOUSE):
        days = Days(options.seed * 1_000_000 + house)
        for _ in range(STEPS_OF_A_HOUSE):
            done[days.step()] += 1
    print(f"{done.total():,} steps in {time.perf_counter() - began:,.0f} s, and the two agreed after each")
    print(", ".join(f"{name} {number:,}" for name, number in done.most_common()))


if __name__ == "__main__":
    main()
