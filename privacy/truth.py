"""What every tag should say, set-based for everybody: by the same rules and the same columns as a re-tag.

Rows are grouped, in one statement, by what the policy asks: their flags, and the answer or the agreement that they are
judged by. Each group is then ruled on once (`policy.rule`) and its columns are those of `tagging.columns`; so there is
nothing here that could say something else than a re-tag does. What is not judged: rows that wait for a re-tag
(privacy/retagging.py), and what somebody deleted who has left, for it is on its way out by a rule of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import (
    BooleanField,
    Case,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    Min,
    OuterRef,
    Q,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import GreaterThanOrEqual

from accounts.age import ADULT_AT
from accounts.models import Workspace
from privacy import policy, tagging
from privacy.models import Agreement, Erasure, Flag, Hold, Retagging, Terms
from privacy.policy import Rule, Schedule
from privacy.vocabulary import Training

# What a row is judged by besides its flags.
BY = ("at_home", "training", "keeps", "terms", "agreement", "wrong_epoch")


class AdultFrom(Func):
    """`accounts.age.adulthood` in SQL, as a moment: a leap-day child is of age on 1 March."""

    output_field = DateTimeField()
    born, grown = "%(expressions)s", f"(%(expressions)s + interval '{ADULT_AT} years')::date"
    later = f"CASE WHEN extract(day FROM {grown}) = extract(day FROM {born}) THEN 0 ELSE 1 END"
    template = f"(({grown} + {later})::timestamp AT TIME ZONE 'UTC')"


class OneOf(Func):
    """Whether the first is among keys that are written with commas: one parameter, however many there are.

    As text, for Python takes its time over each of very many, and most of these only pass through it.
    """

    output_field = BooleanField()
    template = "%(expressions)s"
    arg_joiner = " = ANY"

    def __init__(self, column: str, keys: str) -> None:
        written = Value("{" + keys + "}", output_field=TextField())
        super().__init__(F(column), Func(written, template="((%(expressions)s)::bigint[])"))


class Differ(Func):
    """Whether two values are not the same; NULL is one of them."""

    output_field = BooleanField()
    template = "(%(expressions)s)"
    arg_joiner = " IS DISTINCT FROM "


@dataclass(frozen=True)
class Alike:
    """Rows with one verdict but for their own clocks."""

    rows: Any
    ruled: Rule
    schedule: Schedule
    epoch: Any

    def columns(self, at: datetime, *, promises: bool) -> dict[str, Any]:
        return tagging.columns(self.ruled, self.epoch, self.schedule, at, promises=promises)

    def different(self, columns: dict[str, Any]) -> Any:
        """Those in which any of the columns is something else."""
        wrong = Q(pk__isnull=True)
        for name, value in columns.items():
            wrong |= Q(_differs(self.rows.model, name, value))
        return self.rows.filter(wrong)


@dataclass
class Book:
    """Schedules by the primary key of terms and agreements; the shortest that anything was ever promised."""

    terms: dict[int | None, Schedule] = field(default_factory=lambda: {None: Schedule()})
    agreements: dict[int | None, policy.Agreement] = field(default_factory=lambda: {None: policy.Agreement()})

    def schedule(self, at_home: bool, terms: int | None, agreement: int | None) -> Schedule:
        if at_home:
            if terms is not None and terms not in self.terms:
                self.terms[terms] = Terms.objects.get(pk=terms).schedule
            return self.terms[terms]
        if agreement is not None and agreement not in self.agreements:
            signed = Agreement.objects.get(pk=agreement)
            self.agreements[agreement] = policy.Agreement(signed.lifetime, signed.training)
        return Schedule(agreement=self.agreements[agreement])


def whether(condition: Any) -> Case:
    """A condition as a column: true or false, never NULL."""
    return Case(When(condition, then=True), default=False, output_field=BooleanField())


def of(model: Any, keys: Iterable[int]) -> Any:
    return _of(model, ",".join(map(str, keys)))


def _of(model: Any, keys: str) -> Any:
    return model._default_manager.filter(OneOf("pk", keys))


def judged(rows: Any) -> Any:
    """Those whose tag has to be what the policy says now."""
    leaving = Q(Exists(Erasure.objects.filter(user=OuterRef("author"))), deleted_at__isnull=False)
    return rows.filter(~leaving, ~Exists(Retagging.objects.awaited()))


def alike(rows: Any, book: Book) -> Iterator[Alike]:
    """Those of these rows that are judged, by verdict."""
    readings = _readings()
    known = judged(rows).annotate(**readings).values(*readings)
    found: dict[tuple[Rule, Schedule, int | None], list[str]] = defaultdict(list)
    for values in known.annotate(keys=StringAgg(Cast("pk", TextField()), ",")).order_by():
        schedule = book.schedule(values["at_home"], values["terms"], values["agreement"])
        found[_ruled(values, schedule), schedule, values["wrong_epoch"]].append(values["keys"])
    for (ruled, schedule, epoch), some in found.items():
        yield Alike(_of(rows.model, ",".join(some)), ruled, schedule, F("tag_epoch") if epoch is None else epoch)


def _readings() -> dict[str, Any]:
    at_home = Q(workspace__kind=Workspace.Kind.PERSONAL)
    standing, agreed = Coalesce("author__standing__epoch", 0), Coalesce("workspace__agreed__epoch", 0)
    epoch = Case(When(at_home, then=standing), default=agreed)
    grown = Q(at_home, GreaterThanOrEqual(F("begun_at"), AdultFrom("author__date_of_birth")))
    return {
        **tagging.flags(policy.Standing(), epoch),
        "is_begun_as_adult": whether(grown),
        "at_home": whether(at_home),
        "training": Case(When(at_home, then=F("author__standing__training"))),
        "keeps": Case(When(at_home, then=F("author__standing__keep_history")), default=False),
        "terms": Case(When(at_home, then=F("author__standing__terms"))),
        "agreement": F("workspace__agreed__agreement"),
        "wrong_epoch": Case(When(tag_epoch=epoch, then=None), default=epoch),
    }


def _ruled(values: dict[str, Any], schedule: Schedule) -> Rule:
    said = {name: value for name, value in values.items() if name.startswith("is_")}
    flags = tagging.flags_of(said, personal=values["at_home"])
    standing = policy.Standing(
        training=Training(values["training"]) if values["training"] else None,
        keep_history=bool(values["keeps"]),
        adult_since=date.min if flags.begun_as_adult else None,
    )
    return policy.rule(flags, standing, schedule)


def _differs(model: Any, name: str, value: Any) -> Differ:
    column = model._meta.get_field(name)
    if not hasattr(value, "resolve_expression"):
        value = Value(None if value is None else column.get_prep_value(value), output_field=column.clone())
    return Differ(F(name), value)


def differences(model: Any, columns: dict[str, Any]) -> dict[str, Differ]:
    """By column, whether a row says something else there."""
    return {name: _differs(model, name, value) for name, value in columns.items()}


# --- What no tag can tell ---------------------------------------------------------


def covered(model: Any) -> Case:
    """Whether a hold that stands covers a row."""
    return whether(Hold.objects.standing().covered(model._meta.label_lower))


def review(model: Any) -> Subquery:
    """When the review that stands over a row began; NULL where none does."""
    standing = Flag.objects.standing().filter(kind=model._meta.label_lower, key=OuterRef("public_id"))
    return Subquery(standing.values("flagged_at"))


def wrongly_flagged(rows: Any) -> Any:
    """Those of these rows that say something else of a review than there is."""
    suspect = Q(flagged_at__isnull=False) | Flag.objects.standing().covered(rows.model._meta.label_lower)
    return rows.filter(suspect).filter(Differ(F("flagged_at"), review(rows.model)))


def ended_too_soon(at: datetime) -> Q:
    """Rows that are hidden although no version of anything ever let them end so soon.

    What has expired keeps its end, so that end is a fact which the policy takes as it is.
    """
    expired = Q(deleted_at__isnull=True, hidden_from__lte=at)
    kinds = (_sooner(shortest(temporary=temporary)) & Q(temporary=temporary) for temporary in (True, False))
    return expired & (next(kinds) | next(kinds))


def shortest(*, temporary: bool) -> timedelta:
    """The least that any version of the terms or of an agreement lets a conversation stay."""
    usual, terms = Schedule(), Terms.objects.aggregate(hours=Min("temporary_hours"), days=Min("standard_days"))
    if temporary:
        return timedelta(hours=min(terms["hours"] or usual.temporary.hours, usual.temporary.hours))
    agreed = Agreement.objects.aggregate(days=Min("retention_days"))["days"]
    return timedelta(days=min(days for days in (terms["days"], agreed, usual.standard.days) if days))


def _sooner(lasts: timedelta) -> Q:
    first = ExpressionWrapper(F("last_activity_at") + Value(lasts), output_field=DateTimeField())
    return Q(hidden_from__lt=first)
