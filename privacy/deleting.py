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
    notice = Value(now + policy.NOTICE, output_field=DateTimeField())
    for holding, found in chosen.rows():
        for place in found.places():  # type: ignore[attr-defined]
            # The end they had stays as a promise, see `tagging.delete`; LEAST passes over NULL.
            promise = Least(F("hidden_from"), notice)
            schedule = standings.schedule_for_turn(place, row)
            rows = locked(found.filter(workspace=place), place)
            count += rows.update(deleted_at=now, grace_until=promise)
            tagging.retag_in(place, rows, standing, schedule)  # type: ignore[arg-type]
            holding.end(rows)
    if count:  # one word to all pages, however many there were
        tell_standing_changed(chosen.user.pk)
    return count, now


def undoable(user: "User", at: datetime) -> "list[QuerySet[Any]]":
    """What was deleted at that moment and may come back, a query set a holding."""
    places = Workspace.objects.open_to(user).order_by()
    fresh = {"author": user, "workspace__in": places, "deleted_at": at, "deleted_at__gt": clock.now() - UNDO}
    return [model._default_manager.filter(**fresh) for _, model in tagged_holdings()]


@transaction.atomic
def undelete(user: "User", *, at: datetime) -> int:
    """Take a deletion of that moment back as a whole; returns how many came back: none once its time has passed."""
    row, count = Standing.objects.for_turn(user.pk), 0
    standing = standings.as_facts(user, row)
    since_deleted = ExpressionWrapper(F("deleted_at") + Value(policy.NOTICE), output_field=DateTimeField())
    for found in undoable(user, at):
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
