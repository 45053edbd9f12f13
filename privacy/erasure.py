"""Erasing a person: what they wrote and who they were goes, the evidence stays without them.

First a fence, in the transaction of the asking: nobody signs in to the account any more, what was being written for it
ends, and every personal row is deleted, which hides it and lets it train nothing from that commit on. A turn or a
choice of the same moment comes before the fence and is caught by it, or after it and is refused.

Then, in the background, steps that each commit: the sweep purges the personal rows, leaving tombstones; rows in Work
workspaces lose their author and stay under the agreement; each holding takes the person out of what else it has; the
ledger gets its last event and loses the link; the row of the person goes at the end. Any step may be the last before a
process dies: the next run begins anew and finds less. What must stay for a while (a hold, a safety review) keeps the
row, which says nothing any more of who it was, and `Erasure` remembers to come back.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from kombu.exceptions import OperationalError

from accounts import clock
from accounts.changes import signed_out
from accounts.models import Membership, User, Workspace
from privacy import ledger, retagging, standings, sweep, tagging
from privacy.canonical import moment
from privacy.errors import SoleOwner, StillStaff
from privacy.holdings import all_holdings, tagged_holdings
from privacy.models import Erasure, Retagging, Standing, Subject, SweepRun, Tagged
from privacy.policy import Duration, Schedule
from privacy.policy import Standing as Facts
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from django.db.models import QuerySet

AT_ONCE = 1_000
NOBODY = Facts()  # who has answered nothing, and whose age is unknown
SILENCE = timedelta(minutes=2)  # without a step, after which an erasure is taken up again
PATIENCE = timedelta(hours=1)  # the same where something has to stay

logger = logging.getLogger(__name__)


# --- Leaving ------------------------------------------------------------------


@transaction.atomic
def leave(*, user: User) -> None:
    """Let `user` leave for good: from the commit on the account is shut and its chats are gone; the rest follows.

    Twice is once. Raises SoleOwner, and StillStaff: what staff did is logged under their account, which goes.
    """
    if not User.objects.select_for_update(no_key=True).filter(pk=user.pk).values_list("pk"):
        return
    _hold_workspaces(user)
    if User.objects.filter(pk=user.pk, is_staff=True).exists():
        raise StillStaff
    if alone := list(owned_alone(user).values_list("name", flat=True)):
        raise SoleOwner(alone)
    _shut_out(user)
    ledger.subject_key(user)  # so that there is evidence of this, even if of nothing else
    Erasure.objects.get_or_create(user=user, defaults={"remaining": _names()})
    transaction.on_commit(lambda: _queue(user.pk), robust=True)


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


def _shut_out(user: User) -> None:
    """The fence. It costs what a choice costs: rows are deleted by one UPDATE for each combination of their flags."""
    User.objects.filter(pk=user.pk).update(is_active=False)
    standing = Standing.objects.for_change(user)
    facts, schedule = standings.as_facts(user, standing), standings.schedule_for(user.personal_workspace, standing)
    for holding in all_holdings():
        holding.fence(user)
    for _holding, model in tagged_holdings():
        rows: Any = model._default_manager.filter(author=user, workspace=user.personal_workspace)
        retagging.catch_up(user.personal_workspace, rows)
        rows.filter(deleted_at__isnull=True).update(deleted_at=clock.now())
        tagging.retag(rows, facts, replace(schedule, deleted=Duration()))  # due at once
        for workspace in emptied(user):
            agreed = standings.schedule_for_turn(workspace, None)
            there = model._default_manager.filter(author=user, workspace=workspace)
            retagging.catch_up(workspace, there)
            there.filter(deleted_at__isnull=True).update(deleted_at=clock.now())
            tagging.retag_work(there, replace(agreed, deleted=Duration()))  # type: ignore[arg-type]
    signed_out(user)


def _is_shut_out(user: User) -> bool:
    """Whether the fence stands: staff may have switched the account on again, or an undo of before come late."""
    personal: list[Any] = [model._default_manager.filter(workspace__personal_to=user) for _, model in tagged_holdings()]
    return not user.is_active and not any(rows.filter(deleted_at__isnull=True).exists() for rows in personal)


def _names() -> list[str]:
    return [holding.name for holding in all_holdings()]


def _queue(user: int) -> None:
    """Hand the rest to a worker. If the broker is away, the next look at what was forgotten does."""
    from privacy.tasks import erase

    try:
        erase.delay(user)
    except (OperationalError, OSError) as error:
        logger.warning("an erasure waits for the broker (%s)", type(error).__name__)


# --- Erasing ------------------------------------------------------------------


def forgotten() -> list[int]:
    """Whose erasure nobody has worked at for a while; each is given to one caller."""
    now, stays = clock.now(), [holding.name for holding, _ in tagged_holdings()]
    silent = Erasure.objects.silent(now - SILENCE)
    patient = silent.waiting(stays).exclude(pk__in=Erasure.objects.silent(now - PATIENCE).values("pk"))
    people = silent.exclude(pk__in=patient.values("pk")).values_list("pk", flat=True)[:AT_ONCE]
    return [user for user in people if silent.filter(pk=user).update(worked_at=now)]


def erase(user: int) -> bool:
    """Do what is left of the erasure of `user` (a primary key); says whether it is done. May run twice at once."""
    for _rows in steps(user):
        Erasure.objects.filter(pk=user).update(worked_at=clock.now())
    return not Erasure.objects.filter(pk=user).exists()


def steps(pk: int) -> Iterator[int]:
    """The same a step at a time, each committed and with the number of rows that it took."""
    erasure = Erasure.objects.select_related("user__personal_workspace").filter(pk=pk).first()
    if erasure is None:
        return
    user, remaining = erasure.user, list(erasure.remaining)
    if not _is_shut_out(user):
        remaining = _names()
        with transaction.atomic():
            _shut_out(user)
    yield from _tagged(user)
    if _is_purged_elsewhere(user):
        return
    for holding in all_holdings():
        if holding.name not in remaining:
            continue
        yield from filter(None, holding.erase(user))
        if holding.tagged is None or not _has(user, holding.tagged):
            remaining.remove(holding.name)
            Erasure.objects.filter(pk=pk).update(remaining=remaining)
    for last in (_unlink, _remove):
        if rows := last(user):
            yield rows


def _tagged(user: User) -> Iterator[int]:
    """What is personal is purged; what is not loses its author and stays."""
    if run := sweep.sweep(of=user):
        yield run.purged
    for _holding, model in tagged_holdings():
        rows: Any = model._default_manager
        about_to_be_held = Exists(Retagging.objects.awaited().filter(hold__isnull=False))
        work = rows.filter(~about_to_be_held, author=user, workspace__kind=Workspace.Kind.WORK, held=False)
        while some := list(work.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
            yield rows.filter(pk__in=some).update(author=None)


def _is_purged_elsewhere(user: User) -> bool:
    """Whether another worker is just at it: a chunk that somebody holds is passed over."""
    due: list[Any] = [model._default_manager.due(clock.now()) for _, model in tagged_holdings()]  # type: ignore[attr-defined]
    return any(rows.filter(author=user).exists() for rows in due)


def _has(user: User, model: type[Tagged]) -> bool:
    """Whether something of theirs has to stay: it is held, or under review."""
    return model._default_manager.filter(author=user).exists()


@transaction.atomic
def _unlink(user: User) -> int:
    """The last event, and with it the end of standing and link: at no moment does the ledger tell what no row says."""
    erasure = Erasure.objects.select_for_update().filter(pk=user.pk).first()
    if erasure is None:  # another worker has come to the end
        return 0
    link = Subject.objects.filter(user=user)
    gone, _ = Standing.objects.filter(user=user).delete()
    if gone:
        _retag_what_stays(user)
    if link.exists():
        asked = {"asked_at": moment(erasure.asked_at)}
        ledger.record(Act.ERASED, source=Source.SETTINGS, subject=user, detail=asked)
        gone += link.delete()[0]
    return gone


def _retag_what_stays(user: User) -> None:
    """What is held or under review says from now on what holds of somebody who has answered nothing."""
    schedule = replace(Schedule(), deleted=Duration())
    for _holding, model in tagged_holdings():
        tagging.retag(model._default_manager.filter(author=user), NOBODY, schedule)  # type: ignore[arg-type]


@transaction.atomic
def _remove(user: User) -> int:
    """Remove the person, if nothing of theirs has to stay."""
    here = User.objects.select_for_update().filter(pk=user.pk).first()
    if here is None or any(_has(user, model) for _, model in tagged_holdings()):
        return 0
    gone, _ = here.delete()
    SweepRun.objects.create(finished_at=clock.now(), erased=1)
    return gone
