"""Reading what is held or under review: by whom the hold or the flag names, while it stands, each opening recorded.

Nobody else of the staff reads a word of any conversation, superusers included. Two keys open it: the name on the hold
or flag, and the permission to be named, which may be withdrawn. Nobody opens a conversation of their own by this door,
and the opening is recorded in the transaction that reads it: no words without evidence.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth.backends import ModelBackend
from django.db import transaction
from django.db.models import Count, Max

from accounts import clock
from accounts.errors import NotFound
from accounts.models import User
from privacy import ledger
from privacy.holdings import Said, tagged_holdings
from privacy.models import Flag, Hold, Reader, Reading, Tagged
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

PERMISSION = "privacy.read_held"
Of = Hold | Flag


class Over(Exception):
    """The hold is released, or the review has ended."""


@dataclass(frozen=True)
class Opened:
    """One conversation, opened: its name and everything said in it."""

    title: str
    said: list[Said]


@dataclass(frozen=True)
class Openings:
    """How often a conversation was opened by this door, and when last."""

    count: int
    last: datetime | None


# --- Who ------------------------------------------------------------------------


def may_be_named() -> "QuerySet[User]":
    """Staff with the permission."""
    people: QuerySet[User] = ModelBackend().with_perm(PERMISSION)
    return people.filter(is_staff=True).order_by("email")


def name(of: Of, people: Iterable[User]) -> dict[str, list[str]]:
    """Name the readers of a new hold or flag, in the caller's transaction; what the ledger says of it."""
    people = list(people)
    column = {str(of._meta.model_name): of}
    Reader.objects.bulk_create([Reader(user=person, **column) for person in people])
    return {"readers": [str(ledger.subject_key(person)) for person in people]}


@transaction.atomic
def change_readers(of: Of, people: Iterable[User], *, reason: str, by: User) -> None:
    """Let these, and nobody else, be the readers from now on. Raises Over."""
    here = _standing(of)
    if here is None:
        raise Over
    Reader.objects.of(here).delete()
    named = name(here, people)
    detail = {**_number(here), "reason": reason.strip(), **named}
    ledger.record(Act.READERS_NAMED, source=Source.ADMIN, actor=by, detail=detail)


def may_read(of: Of, user: User) -> bool:
    """Whether it stands, names `user`, and `user` may be named."""
    named = of.released_at is None and Reader.objects.of(of).named(user).exists()
    return named and user.is_active and user.is_staff and user.has_perm(PERMISSION)


# --- What -----------------------------------------------------------------------


def covered(of: Of, by: User) -> "list[QuerySet[Any]]":
    """The conversations that `by` may open under it, a query set a holding: none of their own. Raises NotFound."""
    if not may_read(of, by):
        raise NotFound
    found = []
    for _holding, model in tagged_holdings():
        rows: Any = model._default_manager
        mine = rows.filter(author=by).values("pk")
        under = type(of)._default_manager.filter(pk=of.pk).covered(model._meta.label_lower)
        found.append(rows.filter(under).exclude(pk__in=mine).order_by("pk"))
    return found


@transaction.atomic
def open_(of: Of, key: "UUID", *, by: User) -> Opened:
    """Everything said in one conversation, and the evidence that `by` has read it. Raises NotFound."""
    here = _standing(of)
    if here is None:
        raise NotFound
    for (holding, _), rows in zip(tagged_holdings(), covered(here, by), strict=True):
        if row := rows.filter(public_id=key).first():
            _record(here, row, by)
            described = holding.describe(row).title if holding.describe else ""
            return Opened(described, list(holding.transcript(row)))
    raise NotFound


def openings(row: Tagged) -> Openings:
    """How often staff has opened this conversation, under whatever hold or review."""
    return Openings(**Reading.objects.of(row).aggregate(count=Count("pk"), last=Max("at")))


def _standing(of: Of) -> Any:
    """The row as it is now, held until the commit: nothing is read under what is being released."""
    rows: Any = type(of)._default_manager
    return rows.select_for_update(no_key=True, of=("self",)).filter(pk=of.pk, released_at__isnull=True).first()


def _record(of: Of, row: Tagged, by: User) -> None:
    now, what = clock.now(), {"kind": row._meta.label_lower, "key": str(row.public_id)}
    event = ledger.record(Act.READ_HELD, source=Source.ADMIN, actor=by, detail={**_number(of), **what}, at=now)
    Reading.objects.create(at=now, reader=by, under=str(of), kind=what["kind"], key=row.public_id, event=event.key)


def _number(of: Of) -> dict[str, int]:
    return {of._meta.model_name or "": of.pk}
