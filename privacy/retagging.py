"""Carrying out what was decided for many rows at once: in the request while they are few, and otherwise in pieces.

An answer, an agreement or a hold re-tags up to `RETAG_AT_ONCE` rows in its own transaction. Where there are more, that
transaction writes down what was decided and when (`Retagging`), and a worker goes on from there, a chunk and a commit
at a time. It does later exactly what would have been done then: under the same answer, as of the same moment. Two of
these on the same rows come one after the other, so that nothing newer is overwritten; a row that somebody deletes,
keeps or writes in is brought up to date first (`catch_up`), and is then passed over.

Until it is reached, a row is governed by what was decided all the same: it is not due, it does not train, and an end
that the decision has taken away does not hide it (`TaggedQuerySet`).

Which rows are still to be reached stands in the rows themselves. A worker that dies leaves whole chunks behind it, two
of them share the work, and one that was forgotten is taken up again by the clock (config/beat.py).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from kombu.exceptions import OperationalError

from accounts import clock
from accounts.models import User, Workspace
from privacy import held, policy, tagging
from privacy.holdings import tagged_holdings, tell_standing_changed
from privacy.models import Hold, Retagging, Tagged, Terms
from privacy.policy import Duration, Schedule

if TYPE_CHECKING:
    from uuid import UUID

CHUNK = 2_000  # rows in one transaction
PAGE = 100_000  # primary keys in memory
SILENCE = timedelta(minutes=1)  # without a chunk, after which a re-tag is taken up again
KEPT = timedelta(days=30)  # rows of finished ones

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Decided:
    """What was decided for everything in one place (or what one person wrote there), and when."""

    place: Workspace
    standing: policy.Standing
    schedule: Schedule
    at: datetime
    author: User | None = None
    hold: Hold | None = None
    terms: Terms | None = None

    def rows(self, model: type[Tagged]) -> Any:
        rows: Any = model._default_manager.filter(workspace=self.place)
        return rows.filter(author=self.author) if self.author else rows


# --- In the request -------------------------------------------------------------


def carry_out(decided: Decided, *, key: "UUID | None" = None) -> None:
    """Re-tag what is few, and write down what is many. The caller holds what the rows are judged by.

    With `key`, one row alone is concerned.
    """
    found = [decided.rows(model) for _, model in tagged_holdings()]
    found = [rows.filter(public_id=key) for rows in found] if key else found
    if not key and _are_many(found):
        _write_down(decided, sum(rows.count() for rows in found))
        return
    for rows in found:
        catch_up(decided.place, rows)
        _apply(decided, rows)


def catch_up(place: Workspace, rows: Any) -> None:
    """Let these rows of one place be what everything that was decided before makes of them, before they change."""
    for step in _steps(place):
        mine = rows.filter(tag_step__lt=step.pk)
        _apply(_decided(step), mine.filter(author=step.author) if step.author_id else mine, tag_step=step.pk)


def catch_up_one(row: Tagged) -> None:
    """The same for one locked row, which is read again if there was something to do."""
    if Retagging.objects.open().filter(workspace=row.workspace_id, pk__gt=row.tag_step).exists():
        rows: Any = type(row)._default_manager.filter(pk=row.pk)
        catch_up(row.workspace, rows)
        row.refresh_from_db(fields=["held", "grace_until", "tag_step", *row.TAG])


def _are_many(found: list[Any]) -> bool:
    most: int = settings.RETAG_AT_ONCE
    return sum(int(rows[: most + 1].count()) for rows in found) > most


def _write_down(decided: Decided, total: int) -> None:
    place, standing, schedule = decided.place, decided.standing, decided.schedule
    agreed = getattr(place, "agreed", None) if not place.is_personal else None
    step = Retagging.objects.create(
        workspace=place,
        author=decided.author,
        hold=decided.hold,
        at=decided.at,
        training=standing.training,
        keep_history=standing.keep_history,
        epoch=policy.epoch(standing, schedule.agreement, personal=place.is_personal),
        adult_since=standing.adult_since,
        terms=decided.terms,
        agreement=agreed.agreement if agreed else None,
        stays=_stays(place, standing, schedule),
        total=total,
    )
    transaction.on_commit(lambda: queue(step.pk), robust=True)


def _stays(place: Workspace, standing: policy.Standing, schedule: Schedule) -> timedelta | None:
    """How long anything stays that is neither temporary nor may train: every longer end was one before."""
    if place.is_personal and standing.keep_history:
        return None
    lasts: Duration | None = schedule.standard if place.is_personal else schedule.agreement.lifetime
    return timedelta(days=lasts.days, hours=lasts.hours) if lasts else None


def _apply(decided: Decided, rows: Any, **more: Any) -> int:
    """Re-tag these rows as of the moment of what was decided."""
    if decided.hold:
        held.settle(decided.hold, rows, decided.at)
    if not decided.place.is_personal:
        return tagging.retag_work(rows, decided.schedule, at=decided.at, **more)
    return tagging.retag(rows, decided.standing, decided.schedule, at=decided.at, **more)


# --- In the background ------------------------------------------------------------


def never() -> bool:
    return False


def work(pk: int, stopping: Callable[[], bool] = never) -> bool:
    """Go on with a re-tag, and before it with what was decided earlier in its place. Says whether it is done.

    `stopping` is asked between chunks: once it says yes, it ends. May run twice at once.
    """
    step = Retagging.objects.open().filter(pk=pk).first()
    if step is None:
        return True
    if step.workspace is None:
        from privacy import everybody

        return everybody.work(step, stopping)
    earlier = [one for one in _steps(step.workspace) if one.pk <= pk]
    return all(_work_through(one, stopping) for one in earlier)


def forgotten() -> list[int]:
    """Re-tags at which nobody has worked for a while; each is given to one caller."""
    now = clock.now()
    silent = Retagging.objects.silent(now - SILENCE)
    found = silent.order_by("pk").values_list("pk", flat=True)
    return [pk for pk in found if silent.filter(pk=pk).update(worked_at=now)]


def forget_finished() -> None:
    """What was carried out long ago need not be remembered: the ledger has what was decided."""
    Retagging.objects.filter(finished_at__lt=clock.now() - KEPT).delete()


@dataclass(frozen=True)
class Progress:
    done: int
    total: int


def progress(user: User) -> Progress | None:
    """How far the re-tag of a person's own rows has come; None where none is under way."""
    steps = Retagging.objects.open().filter(workspace__personal_to=user).values_list("done", "total")
    found = [(min(done, total), total) for done, total in steps]
    return Progress(*(sum(numbers) for numbers in zip(*found, strict=True))) if found else None


def _steps(place: Workspace) -> list[Retagging]:
    """What is still to be carried out in one place, in the order in which it was decided."""
    related = ("workspace", "author", "hold", "terms", "agreement")
    return list(Retagging.objects.open().filter(workspace=place).select_related(*related).order_by("pk"))


def _decided(step: Retagging) -> Decided:
    assert step.workspace
    return Decided(step.workspace, step.decided, step.schedule, step.at, author=step.author, hold=step.hold)


def _work_through(step: Retagging, stopping: Callable[[], bool]) -> bool:
    """Chunk after chunk, until none is left that nobody else has in hand."""
    for _holding, model in tagged_holdings():
        while keys := _waiting(step, model):
            parts = [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]
            moved = 0
            for part in parts:
                if stopping():
                    return False
                moved += chunk(step, model, part)
            if not moved:
                return False
    return _finish(step)


def _waiting(step: Retagging, model: type[Tagged]) -> list[int]:
    rows = _decided(step).rows(model).filter(tag_step__lt=step.pk).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:PAGE])


@transaction.atomic
def chunk(step: Retagging, model: type[Tagged], keys: list[int]) -> int:
    """Re-tag those of `keys` that still wait and that nobody holds; returns how many."""
    rows: Any = model._default_manager
    mine = rows.filter(pk__in=keys, tag_step__lt=step.pk).order_by("pk")
    locked = list(mine.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
    if not locked:
        return 0
    done = _apply(_decided(step), rows.filter(pk__in=locked), tag_step=step.pk)
    Retagging.objects.filter(pk=step.pk).update(done=F("done") + done, worked_at=clock.now())
    return done


@transaction.atomic
def _finish(step: Retagging) -> bool:
    """Tell whose pages are open. Somebody else may have come to the end first."""
    if Retagging.objects.open().filter(pk=step.pk).update(finished_at=clock.now(), done=F("total")):
        assert step.workspace
        people = Q(personal_workspace=step.workspace) | Q(memberships__workspace=step.workspace)
        tell_standing_changed(*User.objects.filter(people).distinct().values_list("pk", flat=True))
    return True


def queue(pk: int) -> None:
    """Hand it to a worker. If the broker is away, the next look at what was forgotten does."""
    from privacy.tasks import retag

    try:
        retag.delay(pk)
    except (OperationalError, OSError) as error:
        logger.warning("a re-tag waits for the broker (%s)", type(error).__name__)
