"""Deleting several chats at once, and taking that back: what `tagging.delete` and `restore` do to one, set-based.

All of one act have the same moment of deletion, which is the name by which it is taken back.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Case, DateTimeField, ExpressionWrapper, F, Value, When
from django.db.models.functions import Least

from accounts import clock
from accounts.models import Workspace
from privacy import policy, standings, tagging
from privacy.holdings import tagged_holdings, tell_standing_changed
from privacy.models import Standing
from privacy.selection import Selection, locked

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User

UNDO = timedelta(seconds=30)


@transaction.atomic
def delete(chosen: Selection) -> tuple[int, datetime]:
    """Invisible and out of training from this moment; answers under way end. Returns how many, and the moment."""
    row = Standing.objects.for_turn(chosen.user.pk)
    standing, now, count = standings.as_facts(chosen.user, row), clock.now(), 0
    for holding, found in chosen.rows():
        for place in found.places():  # type: ignore[attr-defined]
            schedule = standings.schedule_for_turn(place, row)
            rows = locked(found.filter(workspace=place), place)
            count += mark(rows, now)
            tagging.retag_in(place, rows, standing, schedule)  # type: ignore[arg-type]
            holding.end(rows)
    if count:  # one word to all pages, however many there were
        tell_standing_changed(chosen.user.pk)
    return count, now


def mark(rows: Any, at: datetime) -> int:
    """Deleted from `at` on. The end that they had stays as a promise, see `tagging.delete`; LEAST passes over NULL."""
    notice = Value(at + policy.NOTICE, output_field=DateTimeField())
    count: int = rows.update(deleted_at=at, grace_until=Least(F("hidden_from"), notice))
    return count


def undoable(user: "User", at: datetime) -> "list[QuerySet[Any]]":
    """What was deleted at that moment and may come back, a query set a holding."""
    places = Workspace.objects.open_to(user).order_by()
    fresh = {"author": user, "workspace__in": places, "deleted_at": at, "deleted_at__gt": clock.now() - UNDO}
    return [model._default_manager.filter(**fresh) for _, model in tagged_holdings()]


@transaction.atomic
def undelete(user: "User", *, at: datetime) -> int:
    """Take a deletion of that moment back as a whole; returns how many came back: none once its time has passed."""
    return take_back(user, undoable(user, at))


def take_back(user: "User", deleted: "list[QuerySet[Any]]") -> int:
    """Take the deletion of these rows of theirs back, in the caller's transaction; returns how many came back."""
    row, count = Standing.objects.for_turn(user.pk), 0
    standing = standings.as_facts(user, row)
    since_deleted = ExpressionWrapper(F("deleted_at") + Value(policy.NOTICE), output_field=DateTimeField())
    for found in deleted:
        for place in found.places():  # type: ignore[attr-defined]
            schedule = standings.schedule_for_turn(place, row)
            rows = locked(found.filter(workspace=place), place)
            # A promise of the whole notice stands for any end beyond it, as in `tagging.restore`.
            before = Case(When(grace_until=since_deleted, then=None), default=F("grace_until"))
            count += rows.update(deleted_at=None, hidden_from=before, grace_until=None)
            tagging.retag_in(place, rows, standing, schedule)  # type: ignore[arg-type]
    if count:
        tell_standing_changed(user.pk)
    return count
