"""Proving every standing equal to what the ledger tells, and putting right one that is not.

People are read a thousand at a time and nothing is locked: where row and ledger differ, both are read again until no
choice fell between. A repair holds the person's lock, and re-tags what depends on the standing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from privacy import choices
from privacy.models import Event, Standing, Subject, Terms
from privacy.replay import TELLING, Answers, Said, replay
from privacy.vocabulary import Act, Training

AT_ONCE = 1_000

Shown = Callable[[int], None]


@dataclass(frozen=True)
class Difference:
    """A standing that is not what the ledger tells."""

    user: int
    person: UUID  # the public id
    stored: Answers
    told: Answers

    def __str__(self) -> str:
        wrong = [
            f"{name} is {_plain(stored)}, the ledger says {_plain(told)}"
            for name in (field.name for field in fields(Answers))
            if (stored := getattr(self.stored, name)) != (told := getattr(self.told, name))
        ]
        return f"standing of {self.person}: {'; '.join(wrong)}"


def differences(show: Shown) -> Iterator[Difference]:
    """Every standing that differs; `show` hears how many people were compared."""
    last = compared = 0
    somebody = Q(subject__isnull=False) | Q(standing__isnull=False)
    everybody = User.objects.filter(somebody).order_by("pk").values_list("pk", flat=True)
    while people := list(everybody.filter(pk__gt=last)[:AT_ONCE]):
        told, stored = _told(people), _stored(people)
        for person in people:
            if told[person] != stored[person] and (found := _settled(person)):
                yield found
        last, compared = people[-1], compared + len(people)
        show(compared)


@transaction.atomic
def repair(user: User) -> None:
    """Let the standing of `user` be what the ledger tells."""
    standing = Standing.objects.for_change(user)
    told = _told([user.pk])[user.pk]
    standing.terms = Terms.objects.get(digest=told.terms) if told.terms else None
    standing.training, standing.despite_gpc = told.training, told.despite_gpc
    standing.keep_history, standing.epoch, standing.since = told.keep_history, told.epoch, told.since
    standing.save()
    choices.judge_age_anew(user)  # re-tags everything


def _settled(person: int) -> Difference | None:
    """The difference, if there is one that no choice made while both sides were being read."""
    while True:
        before, told = _stored([person])[person], _told([person])[person]
        if before == _stored([person])[person]:
            break
    if before == told:
        return None
    public_id = User.objects.values_list("public_id", flat=True).get(pk=person)
    return Difference(person, public_id, before, told)


def _told(people: Sequence[int]) -> dict[int, Answers]:
    """What the ledger tells of each."""
    links = dict(Subject.objects.filter(user__in=people).values_list("key", "user_id"))
    events = defaultdict(list)
    rows = Event.objects.filter(subject__in=links, act__in=TELLING).order_by("pk")
    for subject, act, terms, at, detail in rows.values_list("subject", "act", "terms", "at", "detail"):
        assert subject is not None
        events[links[subject]].append(Said(Act(act), terms, at, detail))
    return {person: replay(events[person]) for person in people}


def _stored(people: Sequence[int]) -> dict[int, Answers]:
    """What stands in the row of each; a person without a row has said nothing."""
    found = dict.fromkeys(people, Answers())
    names = ("user_id", "terms__digest", "training", "despite_gpc", "keep_history", "epoch", "since")
    for user, terms, training, *rest in Standing.objects.filter(user__in=people).values_list(*names):
        found[user] = Answers(terms or "", Training(training) if training else None, *rest)
    return found


def _plain(value: Any) -> str:
    return "nothing" if value in {None, ""} else str(value)
