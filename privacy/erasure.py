"""Erasing a person: what they wrote and who they were goes, the evidence stays without them.

What comes first is the fence (privacy/leaving.py): nobody signs in to the account any more, and every personal row is
deleted. Once the days are over in which the person may come back, there are steps in the background that each commit:
the sweep purges the personal rows, leaving tombstones; rows in Work
workspaces lose their author and stay under the agreement; each holding takes the person out of what else it has; the
ledger gets its last event and loses the link; the row of the person goes at the end. Any step may be the last before a
process dies: the next run begins anew and finds less. What must stay for a while (a hold, a safety review) keeps the
row, which says nothing any more of who it was, and `Erasure` remembers to come back.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists

from accounts import clock
from accounts.models import User, Workspace
from privacy import certificates, leaving, ledger, sweep, tagging
from privacy.canonical import moment
from privacy.holdings import all_holdings, tagged_holdings
from privacy.models import Erasure, Retagging, Standing, Subject, SweepRun, Tagged
from privacy.policy import Duration, Schedule
from privacy.policy import Standing as Facts
from privacy.vocabulary import Act, Source

AT_ONCE = 1_000
NOBODY = Facts()  # who has answered nothing, and whose age is unknown
SILENCE = timedelta(minutes=2)  # without a step, after which an erasure is taken up again
PATIENCE = timedelta(hours=1)  # the same where something has to stay


# --- Erasing ------------------------------------------------------------------


def forgotten() -> list[int]:
    """Whose erasure is due and nobody has worked at for a while; each is given to one caller."""
    now, stays = clock.now(), [holding.name for holding, _ in tagged_holdings()]
    silent = Erasure.objects.due(now).silent(now - SILENCE)
    patient = silent.waiting(stays).exclude(pk__in=Erasure.objects.silent(now - PATIENCE).values("pk"))
    people = silent.exclude(pk__in=patient.values("pk")).values_list("pk", flat=True)[:AT_ONCE]
    return [user for user in people if silent.filter(pk=user).update(worked_at=now)]


def erase(user: int) -> bool:
    """Do what is left of the erasure of `user` (a primary key), if it is due; says whether it is done. May run twice at
    once.
    """
    for _rows in steps(user):
        Erasure.objects.filter(pk=user).update(worked_at=clock.now())
    return not Erasure.objects.filter(pk=user).exists()


def steps(pk: int) -> Iterator[int]:
    """The same a step at a time, each committed and with the number of rows that it took."""
    erasure = Erasure.objects.due(clock.now()).select_related("user__personal_workspace").filter(pk=pk).first()
    if erasure is None:
        return
    user, remaining = erasure.user, list(erasure.remaining)
    if not leaving.is_shut_out(user):
        remaining = leaving.names()
        with transaction.atomic():
            leaving.shut_out(user, clock.now())
    yield from _tagged(user)
    if _is_purged_elsewhere(user):
        return
    for holding in all_holdings():
        if holding.name not in remaining:
            continue
        for rows in filter(None, holding.erase(user)):
            _count(pk, holding.name, rows)
            yield rows
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


def _count(pk: int, name: str, rows: int) -> None:
    """For the certificate: how many rows went from a holding, and when the last of them did."""
    erasure = Erasure.objects.filter(pk=pk).first()
    if erasure:
        so_far = erasure.gone.get(name, {"count": 0})["count"]
        erasure.gone[name] = {"count": so_far + rows, "at": moment(clock.now())}
        erasure.save(update_fields=["gone"])


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
    erasure = Erasure.objects.get(pk=user.pk)
    if not certificates.is_ready(erasure):
        return 0
    certificates.issue(erasure)
    gone, _ = here.delete()
    SweepRun.objects.create(finished_at=clock.now(), erased=1)
    return gone
