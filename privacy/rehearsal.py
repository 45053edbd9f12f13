"""What publishing would do: how many people are asked, who might be locked out, which e-mails go out."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Value, When

from accounts import clock
from accounts.models import User
from privacy.figures.groups import Counts, shown
from privacy.models import Standing, Terms

SEEN = (("week", timedelta(days=7)), ("month", timedelta(days=30)), ("quarter", timedelta(days=90)))
LONGER = "longer"
GROUPINGS = {"plan": "personal_workspace__plan", "region": "region", "seen": "seen"}


@dataclass(frozen=True)
class Rehearsal:
    """`groups` count those who have not answered: they would be locked out at the deadline if they stayed silent."""

    asked: int
    answered: int
    groups: dict[str, dict[str, Counts]]
    mails: list[tuple[int, datetime, int]]  # days before the deadline, that day, and at most how many

    @property
    def silent(self) -> int:
        return self.asked - self.answered


def rehearse(terms: Terms, at: datetime) -> Rehearsal:
    """What follows from publishing `terms` at that moment, or what still follows if they are published already."""
    if not terms.needs_answer:
        return Rehearsal(0, 0, {}, [])
    people = _concerned(terms)
    answered = people.filter(standing__terms=terms).count() if terms.published_at else 0
    totals: dict[str, Counter[str]] = {name: Counter() for name in GROUPINGS}
    silent = 0
    rows = people.exclude(standing__terms=terms).values_list(*GROUPINGS.values())
    for *names, count in rows.annotate(count=Count("pk")).order_by():
        silent += count
        for grouping, name in zip(GROUPINGS, names, strict=True):
            totals[grouping][name] += count
    groups = {
        grouping: shown({name: {"people": count} for name, count in found.items()})
        for grouping, found in totals.items()
    }
    return Rehearsal(answered + silent, answered, groups, _mails(terms, at, silent))


def _concerned(terms: Terms) -> QuerySet[User]:
    """Those who answered an earlier version and are on a plan of the audience."""
    now = clock.now()
    answered = Standing.objects.filter(user=OuterRef("pk"), terms__isnull=False)
    seen = [When(last_login__gt=now - age, then=Value(name)) for name, age in SEEN]
    return User.objects.annotate(seen=Case(*seen, default=Value(LONGER), output_field=CharField())).filter(
        Q(Exists(answered)), is_active=True, personal_workspace__plan__in=terms.audience
    )


def _mails(terms: Terms, at: datetime, silent: int) -> list[tuple[int, datetime, int]]:
    if terms.deadline is None:
        return []
    days = [(days, terms.deadline - timedelta(days=days)) for days in sorted(set(terms.reminder_days), reverse=True)]
    return [(number, day, silent) for number, day in days if day >= max(at, clock.now())]
