"""How one version of the terms is answered, counted set-based from the ledger and the people who are there now.

Days are those of UTC. Whoever erased their account is no longer among the people, and so not among the figures.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate
from math import ceil
from typing import Any

from django.db import connection
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Value, When

from accounts.models import User
from privacy.figures.groups import SMALLEST, Counts, shown
from privacy.figures.nudge import Split
from privacy.models import Event, Notice, Reminder, Standing, Subject, Terms
from privacy.vocabulary import Act, Order, Source

STATES = ("answered", "deferred", "undecided")
LONGEST = 400  # points in a chart
QUIET = timedelta(days=14)  # shown of the time in which nobody answers any more
WITHIN = timedelta(days=1)  # an answer this soon after a reminder counts as one to it
GROUPINGS = {"plan": "personal_workspace__plan", "region": "region"}


@dataclass(frozen=True)
class Asked:
    """The people whom a version concerns, by state."""

    total: Counts
    groups: dict[str, dict[str, Counts]]  # by plan and by region; what is too small stands together


def asked(terms: Terms) -> Asked:
    """Whoever answered `terms`, and whoever answered older ones and owes these an answer."""
    total: Counts = dict.fromkeys(STATES, 0)
    groups: dict[str, dict[str, Counts]] = {name: {} for name in GROUPINGS}
    for *names, state, count in (
        _people(terms).values_list(*GROUPINGS.values(), "state").annotate(count=Count("pk")).order_by()
    ):
        total[state] += count
        for grouping, name in zip(GROUPINGS, names, strict=True):
            group = groups[grouping].setdefault(name, dict.fromkeys(STATES, 0))
            group[state] += count
    return Asked(total, {grouping: shown(found) for grouping, found in groups.items()})


def _people(terms: Terms) -> QuerySet[User, Any]:
    accepted = Event.objects.filter(subject=OuterRef("subject__key"), terms=terms.digest, act=Act.TERMS_ACCEPTED)
    older = Q(terms__published_at__lt=terms.published_at) | Q(
        terms__published_at=terms.published_at, terms__lt=terms.pk
    )
    owing = Exists(Standing.objects.filter(older, user=OuterRef("pk")))
    deferred = Exists(Notice.objects.filter(user=OuterRef("pk"), terms=terms, deferrals__gt=0))
    concerned = Q(personal_workspace__plan__in=terms.audience)
    return (
        User.objects.filter(is_active=True)
        .annotate(
            state=Case(
                When(Exists(accepted), then=Value("answered")),
                When(concerned & owing & deferred, then=Value("deferred")),
                When(concerned & owing, then=Value("undecided")),
            )
        )
        .filter(state__isnull=False)
    )


# --- Over time ----------------------------------------------------------------

CHANGES = """
WITH each AS (
    SELECT subject,
        min(at) FILTER (WHERE act = 'terms_accepted') AS accepted,
        min(at) FILTER (WHERE act = 'deferred') AS deferred
    FROM privacy_event
    WHERE terms = %(terms)s AND act IN ('terms_accepted', 'deferred') AND subject IN {subjects}
    GROUP BY subject
)
SELECT day, sum(answered), sum(deferred) FROM (
    SELECT (accepted AT TIME ZONE 'UTC')::date AS day, 1 AS answered,
        CASE WHEN deferred < accepted THEN -1 ELSE 0 END AS deferred
    FROM each WHERE accepted IS NOT NULL
    UNION ALL
    SELECT (deferred AT TIME ZONE 'UTC')::date, 0, 1
    FROM each WHERE deferred < accepted OR (deferred IS NOT NULL AND accepted IS NULL)
) AS changes GROUP BY day
"""


@dataclass(frozen=True)
class Day:
    day: date
    answered: int
    deferred: int
    undecided: int


def over_time(terms: Terms, now: datetime, total: Counts, grouping: str = "", group: str = "") -> list[Day]:
    """How many stood where at the end of each day since publication, until nothing changes any more; of a long time
    every second day, or third … `total` is of the same people as now."""
    assert terms.published_at is not None
    people = User.objects.filter(is_active=True)
    if grouping:
        people = people.filter(**{GROUPINGS[grouping]: group})
    subjects, values = Subject.objects.filter(user__in=people.values("pk")).values("key").query.sql_with_params()
    changed = {
        day: (int(answered), int(deferred))
        for day, answered, deferred in _rows(CHANGES, subjects, values, terms=terms.digest)
    }
    first = terms.published_at.date()
    last = min(now.date(), max([first, *_deadlines(terms), *changed]) + QUIET)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    answered = list(accumulate(changed.get(day, (0, 0))[0] for day in days))
    deferred = list(accumulate(changed.get(day, (0, 0))[1] for day in days))
    everybody = sum(total.values())
    series = [
        Day(day, here, later, max(0, everybody - here - later))
        for day, here, later in zip(days, answered, deferred, strict=True)
    ]
    step = ceil(len(series) / LONGEST)
    return series[::-step][::-1]  # the last day is always among them


def _deadlines(terms: Terms) -> list[date]:
    moments = [terms.deadline, *(move.deadline for move in terms.moves.all())]
    return [moment.date() for moment in moments if moment]


# --- Does the form matter, and how long does it take ---------------------------

FIRST_ANSWERS = """
SELECT source, form, count(*) FILTER (WHERE act = 'training_allowed'), count(*) FILTER (WHERE act <> 'training_allowed')
FROM (
    SELECT DISTINCT ON (subject) subject, act, source, detail ->> 'order' AS form
    FROM privacy_event
    WHERE terms = %(terms)s AND act IN ('training_allowed', 'training_denied', 'training_withdrawn')
        AND source IN ('dialog', 'page') AND subject IN {subjects}
    ORDER BY subject, id
) AS first WHERE form IS NOT NULL GROUP BY source, form
"""


def splits(terms: Terms) -> dict[tuple[Source, Order], Split]:
    """The first answers to the question, by where it was put and which answer stood first."""
    rows = _rows(FIRST_ANSWERS, *_everybody(), terms=terms.digest)
    return {
        (Source(source), Order(form)): Split(allow, deny)
        for source, form, allow, deny in rows
        if form in {order.value for order in Order}
    }


def enough(split: Split) -> bool:
    return split.people >= SMALLEST


BUCKETS = (  # seconds, and what people call it
    (60, "1 min"),
    (600, "10 min"),
    (3600, "1 hour"),
    (86_400, "1 day"),
    (7 * 86_400, "1 week"),
    (30 * 86_400, "30 days"),
)
TIMES = """
WITH taken AS (
    SELECT extract(epoch FROM min(at) FILTER (WHERE act = 'terms_accepted')
        - min(at) FILTER (WHERE act = 'notice_shown')) AS seconds
    FROM privacy_event
    WHERE terms = %(terms)s AND act IN ('terms_accepted', 'notice_shown') AND subject IN {subjects}
    GROUP BY subject
)
SELECT percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY seconds),
    array_agg(width_bucket(seconds, %(bounds)s::numeric[])) AS buckets
FROM taken WHERE seconds >= 0
"""


@dataclass(frozen=True)
class Times:
    """From the first notice to the answer. `buckets` has one number more than BUCKETS: what took longer."""

    quartiles: tuple[timedelta, timedelta, timedelta]
    buckets: list[int]


def times(terms: Terms) -> Times | None:
    """How long people took; None where too few have answered."""
    bounds = [seconds for seconds, _ in BUCKETS]
    [(quartiles, found)] = _rows(TIMES, *_everybody(), terms=terms.digest, bounds=bounds)
    if not found or len(found) < SMALLEST:
        return None
    lower, middle, upper = (timedelta(seconds=round(float(value))) for value in quartiles)
    return Times((lower, middle, upper), [found.count(index) for index in range(len(BUCKETS) + 1)])


def reminders(terms: Terms) -> list[dict[str, int]]:
    """For each reminder day: how many went out, and how many answered within a day of it."""
    soon = Event.objects.filter(
        subject=OuterRef("user__subject__key"),
        terms=terms.digest,
        act=Act.TERMS_ACCEPTED,
        at__gte=OuterRef("sent_at"),
        at__lt=OuterRef("sent_at") + WITHIN,
    )
    sent = Reminder.objects.filter(terms=terms, sent_at__isnull=False).annotate(soon=Exists(soon))
    counted = sent.values("days").annotate(sent=Count("pk"), answered=Count("pk", filter=Q(soon=True)))
    return [row for row in counted.order_by("-days").values("days", "sent", "answered") if row["sent"] >= SMALLEST]


def _everybody() -> tuple[str, tuple[Any, ...]]:
    return Subject.objects.filter(user__is_active=True).values("key").query.sql_with_params()


def _rows(statement: str, subjects: str, values: tuple[Any, ...], **named: Any) -> list[tuple[Any, ...]]:
    """Run `statement` for the subjects that another query names; its own values keep their places."""
    places = {f"subject_{index}": value for index, value in enumerate(values)}
    inner = subjects % tuple(f"%({name})s" for name in places)
    with connection.cursor() as cursor:
        cursor.execute(statement.format(subjects=f"({inner})"), {**named, **places})
        return list(cursor.fetchall())
