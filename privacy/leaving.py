"""Leaving for good: the fence, the days in which one may come back, and coming back.

The fence stands in the transaction of the asking: nobody signs in to the account any more, what was being written for
it ends, and every personal row is deleted, which hides it and lets it train nothing from that commit on. A turn or a
choice of the same moment comes before the fence and is caught by it, or after it and is refused.

What is deleted so is purged when the days are over; until then coming back takes the whole deletion back. Then it is
erased (privacy/erasure.py).
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from kombu.exceptions import OperationalError

from accounts import clock
from accounts.changes import signed_out
from accounts.models import Membership, User, Workspace
from privacy import deleting, ledger, letters, retagging, standings, tagging
from privacy.canonical import moment
from privacy.errors import SoleOwner, StillStaff, TooLate
from privacy.holdings import all_holdings, tagged_holdings
from privacy.models import Erasure, Letter, Standing
from privacy.policy import Duration
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from django.db.models import QuerySet


logger = logging.getLogger(__name__)


@transaction.atomic
def leave(*, user: User, days: int = 0, checked: bool = True) -> Erasure | None:
    """Let `user` leave for good: from the commit on the account is shut and its chats are gone; the rest follows after
    so many days, in which they may come back (`stay`).

    Twice is once; None if they are gone already. Raises SoleOwner, and StillStaff: what staff did is logged under their
    account, which goes. Not `checked`, neither is asked: that was done when they left, before a backup was restored.
    """
    if not User.objects.select_for_update(no_key=True).filter(pk=user.pk).values_list("pk"):
        return None
    if under_way := Erasure.objects.filter(user=user).first():
        return under_way
    _hold_workspaces(user)
    if checked and User.objects.filter(pk=user.pk, is_staff=True).exists():
        raise StillStaff
    if checked and (alone := list(owned_alone(user).values_list("name", flat=True))):
        raise SoleOwner(alone)
    now = clock.now()
    ledger.subject_key(user)  # so that there is evidence of this, even if of nothing else
    erasure = Erasure.objects.create(user=user, asked_at=now, due_at=now + timedelta(days=days), remaining=names())
    shut_out(user, now, days)
    if days:
        detail = {"due_at": moment(erasure.due_at)}
        ledger.record(Act.LEAVING, source=Source.SETTINGS, subject=user, actor=user, detail=detail, at=now)
        letters.write(user, Letter.What.LEAVING, about=erasure.certificate)
    else:
        transaction.on_commit(lambda: _queue(user.pk), robust=True)
    return erasure


@transaction.atomic
def stay(user: User) -> int:
    """Come back before the days are over: the account opens, and the chats are what they were. Returns how many.

    Raises TooLate.
    """
    erasure = _pending(user)
    User.objects.filter(pk=user.pk).update(is_active=True)
    user.is_active = True
    Erasure.objects.filter(pk=erasure.pk).delete()
    Letter.objects.filter(user=user, about=erasure.certificate, sent_at__isnull=True).delete()
    back = deleting.take_back(user, [rows.filter(deleted_at=erasure.asked_at) for rows in _leaving_rows(user)])
    ledger.record(Act.STAYED, source=Source.SETTINGS, subject=user, actor=user)
    return back


@transaction.atomic
def hasten(user: User) -> Erasure:
    """Do not wait for the days to be over. Raises TooLate: they are."""
    erasure = _pending(user)
    Erasure.objects.filter(pk=erasure.pk).update(due_at=clock.now())
    for rows in _leaving_rows(user):
        rows.filter(deleted_at=erasure.asked_at, held=False, flagged_at__isnull=True).update(purge_after=clock.now())
    transaction.on_commit(lambda: _queue(user.pk), robust=True)
    return erasure


def pending(user: User) -> Erasure | None:
    """The erasure of somebody who may still come back."""
    return Erasure.objects.filter(user=user, due_at__gt=clock.now()).first()


def _pending(user: User) -> Erasure:
    """The same, held until the commit, with everything that a turn holds."""
    list(User.objects.select_for_update(no_key=True).filter(pk=user.pk).values_list("pk"))
    Standing.objects.for_change(user)
    erasure = Erasure.objects.select_for_update().filter(user=user, due_at__gt=clock.now()).first()
    if erasure is None:
        raise TooLate
    return erasure


def _leaving_rows(user: User) -> list[Any]:
    """What the fence deletes: everything personal, and what was written where nobody else works."""
    places = [user.personal_workspace, *emptied(user)]
    return [model._default_manager.filter(author=user, workspace__in=places) for _, model in tagged_holdings()]


def owned_alone(user: User) -> "QuerySet[Workspace]":
    """The Work workspaces that others work in, and that none of them owns."""
    owners = Membership.objects.filter(workspace=OuterRef("pk"), role=Membership.Role.OWNER)
    others = _others(user)
    work = Workspace.objects.filter(Exists(owners.filter(user=user)), kind=Workspace.Kind.WORK)
    owned = Exists(others.filter(role=Membership.Role.OWNER, user__is_active=True))
    return work.filter(Exists(others), ~owned).order_by("pk")


def emptied(user: User) -> "QuerySet[Workspace]":
    """The Work workspaces that nobody else works in: what was written there goes with its last member."""
    mine = Membership.objects.filter(workspace=OuterRef("pk"), user=user)
    work = Workspace.objects.filter(Exists(mine), kind=Workspace.Kind.WORK)
    return work.filter(~Exists(_others(user))).order_by("pk")


def _others(user: User) -> "QuerySet[Membership]":
    return Membership.objects.filter(workspace=OuterRef("pk")).exclude(user=user)


def _hold_workspaces(user: User) -> None:
    """Of two owners who leave at the same moment, the second sees that the first is gone."""
    owns = Membership.objects.filter(user=user, role=Membership.Role.OWNER).values("workspace")
    work = Workspace.objects.filter(pk__in=owns, kind=Workspace.Kind.WORK).order_by("pk")
    list(work.select_for_update(no_key=True).values_list("pk"))


def shut_out(user: User, at: datetime, days: int = 0) -> None:
    """The fence. It costs what a choice costs: rows are deleted by one UPDATE for each combination of their flags."""
    User.objects.filter(pk=user.pk).update(is_active=False)
    standing = Standing.objects.for_change(user)
    facts, stays = standings.as_facts(user, standing), Duration(days=days)
    for holding in all_holdings():
        holding.fence(user)
    for rows in _leaving_rows(user):
        for place in rows.places():
            here = rows.filter(workspace=place)
            retagging.catch_up(place, here)
            deleting.mark(here.filter(deleted_at__isnull=True), at)
            schedule = replace(standings.schedule_for_turn(place, standing), deleted=stays)
            # What was deleted before goes at its own time, or with the rest if that is sooner.
            tagging.retag_in(place, here.filter(deleted_at=at) if days else here, facts, schedule)
    signed_out(user)


def is_shut_out(user: User) -> bool:
    """Whether the fence stands: staff may have switched the account on again, or an undo of before come late."""
    personal: list[Any] = [model._default_manager.filter(workspace__personal_to=user) for _, model in tagged_holdings()]
    return not user.is_active and not any(rows.filter(deleted_at__isnull=True).exists() for rows in personal)


def names() -> list[str]:
    return [holding.name for holding in all_holdings()]


def _queue(user: int) -> None:
    """Hand the rest to a worker. If the broker is away, the next look at what was forgotten does."""
    from privacy.tasks import erase

    try:
        erase.delay(user)
    except (OperationalError, OSError) as error:
        logger.warning("an erasure waits for the broker (%s)", type(error).__name__)
