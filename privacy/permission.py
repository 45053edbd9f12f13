"""May these rows train at this moment? Whoever hands words to training asks here, and asks again before it hands on.

Two answers have to agree: what the stored tag and the permission that stands say (`TaggedQuerySet.trainable`), and what
the policy makes of the facts as they are now (privacy/truth.py). Where they do not, the row does not train.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from accounts.models import Workspace
from privacy import policy, tagging, truth
from privacy.models import Agreed, Retagging, Standing, Tagged
from privacy.vocabulary import Reason, Training


class Refusal(StrEnum):
    """Why a row does not train now, in the order in which it is looked for."""

    GONE = "gone"  # purged
    DELETED = "deleted"
    HELD = "held"
    FLAGGED = "flagged"
    TEMPORARY = "temporary"
    WAITING = "waiting"  # for a re-tag that was decided
    WITHDRAWN = "withdrawn"  # the permission that it was begun under stands no more
    RESTING = "resting"  # newer terms are unanswered at their deadline
    ENDED = "ended"  # past the time within which it may train, or hidden
    OBJECTED = "objected"  # its person said no to a part of it
    DISAGREED = "disagreed"  # tag and policy do not say the same


@dataclass(frozen=True)
class Asked:
    allowed: frozenset[int]
    refused: dict[int, Refusal]


def ask(model: type[Tagged], keys: Sequence[int], at: datetime) -> Asked:
    """Which of these rows may train, and why the others may not. By primary key."""
    if not keys:
        return Asked(frozenset(), {})
    rows = truth.of(model, keys)
    tagged = frozenset(rows.trainable(at).values_list("pk", flat=True))
    allowed = tagged & _by_policy(rows)
    return Asked(allowed, _why_not(model, [key for key in keys if key not in allowed], at))


def ask_apart(model: type[Tagged], keys: Sequence[int], at: datetime) -> Asked:
    """Of which of these rows a part may train by a permission of its own, and why of the others none. By primary key.

    Whether there is such a permission is for the caller to say, who has it.
    """
    if not keys:
        return Asked(frozenset(), {})
    rows = truth.of(model, keys)
    tagged = frozenset(rows.apart(at).values_list("pk", flat=True))
    by_policy, ended = _apart_by_policy(rows, at)
    allowed = tagged & by_policy
    why_not = _why_not(model, [key for key in keys if key not in allowed], at, general=False)
    return Asked(allowed, why_not | dict.fromkeys(tagged & ended, Refusal.ENDED))


def hold_still(model: type[Tagged], rows: Any) -> None:
    """Let nothing that decides on these rows change before the caller's commit.

    In the order of the house: standings by person, what is agreed on by workspace, rows by primary key, each FOR SHARE.
    A choice, a hold or a signature takes the first two FOR UPDATE, and whatever else changes a row changes the row.
    """
    mine = rows.order_by().values
    for table, column, keys in (
        (Standing, "user_id", mine("author")),
        (Agreed, "workspace_id", mine("workspace")),
        (model, "id", mine("pk")),
    ):
        sql, parameters = keys.query.sql_with_params()
        name = connection.ops.quote_name(table._meta.db_table)
        query = (
            f"SELECT count(*) FROM (SELECT 1 FROM {name} WHERE {column} IN ({sql}) ORDER BY {column} FOR SHARE) held"  # noqa: S608
        )
        with connection.cursor() as cursor:
            cursor.execute(query, parameters)


def _by_policy(rows: Any) -> frozenset[int]:
    agreeing = (group.rows for group in truth.alike(rows, truth.Book()) if group.ruled.trains)
    return frozenset(key for found in agreeing for key in found.values_list("pk", flat=True))


def _apart_by_policy(rows: Any, at: datetime) -> tuple[frozenset[int], frozenset[int]]:
    """Those within the time that a conversation which may train as a whole would have, and those past it."""
    within, ended = set[int](), set[int]()
    for group in truth.alike(rows, truth.Book()):
        if policy.apart(group.ruled):
            until = tagging.end_of("last_activity_at", group.schedule.training)
            for key, end in group.rows.annotate(part_until=until).values_list("pk", "part_until"):
                (within if at < end else ended).add(key)
    return frozenset(within), frozenset(ended)


def _why_not(model: type[Tagged], keys: Sequence[int], at: datetime, *, general: bool = True) -> dict[int, Refusal]:
    """`general`: whether the answer that stands in general counts, or only what overrides every permission."""
    if not keys:
        return {}
    mine: dict[str, Any] = {"user": OuterRef("author"), "epoch": OuterRef("begun_epoch"), "training": Training.ALLOW}
    agreed = Agreed.objects.filter(
        workspace=OuterRef("workspace"), epoch=OuterRef("begun_epoch"), agreement__training=True
    )
    at_home, at_work = Q(workspace__kind=Workspace.Kind.PERSONAL), Q(workspace__kind=Workspace.Kind.WORK)
    allowed, in_force = Exists(Standing.objects.filter(**mine)), Exists(Standing.objects.in_force(at).filter(**mine))
    conditions = {
        Refusal.DELETED: Q(deleted_at__isnull=False),
        Refusal.HELD: Q(held=True),
        Refusal.FLAGGED: Q(flagged_at__isnull=False),
        Refusal.TEMPORARY: Q(temporary=True),
        Refusal.WAITING: Q(Exists(Retagging.objects.awaited())),
        Refusal.WITHDRAWN: at_home & ~Q(allowed) | at_work & ~Q(Exists(agreed)),
        Refusal.RESTING: at_home & ~Q(in_force),
        Refusal.ENDED: Q(hidden_from__lte=at) | Q(trains_until__lte=at),
    }
    if not general:
        standing = Standing.objects.filter(user=OuterRef("author"))
        resting = Exists(standing) & ~Exists(standing.in_force(at))
        conditions |= {Refusal.WITHDRAWN: at_work | Q(tag_reason=Reason.AGE), Refusal.RESTING: Q(resting)}
    columns = {f"is_{name}": truth.whether(condition) for name, condition in conditions.items()}
    found = dict.fromkeys(keys, Refusal.GONE)
    for pk, *holds in truth.of(model, keys).annotate(**columns).values_list("pk", *columns):
        reasons = (reason for reason, true in zip(conditions, holds, strict=True) if true)
        found[pk] = next(reasons, Refusal.DISAGREED)
    return found
