"""Placing and releasing legal holds: acts of staff, for a reason, in the ledger.

A hold reaches everything of its person, workspace or conversation in the transaction that places it: nothing of it is
purged any more and nothing of it trains; what is begun later under a held person or workspace is held from its first
message on (`tagging.begin`). It hides nothing and shows nothing: what comes to its end is hidden as ever.

Released, what another hold still covers stays held. The rest gets its tag back, and as a release is no act of its
owner, no end is nearer than thirty days then; what they deleted themselves goes at once.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Greatest

from accounts import clock
from accounts.models import User, Workspace
from privacy import ledger, policy, standings, tagging
from privacy.holdings import tagged_holdings, tell_standing_changed
from privacy.models import Agreed, Hold, Standing, Subject, Tagged
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from uuid import UUID

Target = User | Workspace | Tagged


class AlreadyReleased(Exception):
    """Somebody has released this hold before."""


@transaction.atomic
def place(target: Target, reason: str, *, by: User) -> Hold:
    """Hold a person, a workspace or one conversation, from the commit on."""
    hold = Hold(reason=reason.strip(), placed_at=clock.now(), **_named(target))
    _wait_for_turns(hold)
    hold.save()
    for model in _models():
        _rows(hold, model).filter(held=False).update(held=True)
    _tell(Act.HOLD_PLACED, hold, hold.reason, by)
    _retag(hold)
    return hold


@transaction.atomic
def release(hold: Hold, reason: str, *, by: User) -> Hold:
    """End a hold. Raises AlreadyReleased."""
    held = Hold.objects.select_for_update(of=("self",)).select_related("user", "workspace").get(pk=hold.pk)
    if held.released_at:
        raise AlreadyReleased
    _wait_for_turns(held)
    held.released_at, held.release_reason = clock.now(), reason.strip()
    held.save(update_fields=["released_at", "release_reason"])
    for model in _models():
        _let_go(_rows(held, model), model, held.released_at)
    _tell(Act.HOLD_RELEASED, held, held.release_reason, by)
    _retag(held)
    return held


def find(key: "UUID") -> Tagged | None:
    """The conversation of this key, hidden or not: a hold may be the only thing that keeps it."""
    found = (model._default_manager.filter(public_id=key).first() for model in _models())
    return next((row for row in found if row), None)


def _models() -> list[Any]:
    return [model for _, model in tagged_holdings()]


def _named(target: Target) -> dict[str, Any]:
    if isinstance(target, User):
        return {"user": target}
    if isinstance(target, Workspace):
        return {"workspace": target}
    return {"kind": target._meta.label_lower, "key": target.public_id}


def _rows(hold: Hold, model: Any) -> Any:
    return model._default_manager.filter(Hold.objects.filter(pk=hold.pk).covered(model._meta.label_lower))


def _let_go(rows: Any, model: Any, now: datetime) -> None:
    free = rows.filter(held=True).exclude(pk__in=_still_held(model))
    soon = now + policy.NOTICE
    nearer = free.filter(deleted_at__isnull=True, hidden_from__lt=soon)
    nearer.update(grace_until=Greatest("grace_until", soon))  # GREATEST passes over NULL
    free.update(held=False)


def _still_held(model: Any) -> Any:
    """What the holds that stand cover. Not by `exclude` of the condition itself: NULL authors would fall out of it."""
    covered: Q = Hold.objects.standing().covered(model._meta.label_lower)
    return model._default_manager.filter(covered).values("pk")


def _wait_for_turns(hold: Hold) -> None:
    """No turn is being begun under what is held, until the commit. Locks come in the order of a turn."""
    row = find(hold.key) if hold.key else None
    place_ = hold.workspace or (row.workspace if row else None)
    person = hold.user or (row.author if row else None) or (place_.personal_to if place_ else None)
    if person:
        list(User.objects.select_for_update(no_key=True).filter(pk=person.pk).values_list("pk"))
        Standing.objects.for_change(person)
    if place_ and not place_.is_personal:
        Agreed.objects.for_change(place_)


def _retag(hold: Hold) -> None:
    for model in _models():
        rows = _rows(hold, model)
        for place_ in rows.places():
            standing = Standing.objects.whole().filter(user=place_.personal_to).first()
            facts = standings.as_facts(place_.personal_to, standing) if place_.personal_to else policy.Standing()
            schedule = standings.schedule_for_turn(place_, standing)
            tagging.retag_in(place_, rows.filter(workspace=place_), facts, schedule)
    if hold.user_id:
        tell_standing_changed(hold.user_id)


def _tell(act: Act, hold: Hold, reason: str, by: User) -> None:
    """Evidence without people: a person is the random number under which the ledger knows them."""
    what: dict[str, Any] = {"hold": hold.pk, "reason": reason}
    if hold.user and act is Act.HOLD_PLACED:
        what["person"] = str(ledger.subject_key(hold.user))
    elif hold.user:  # who has left meanwhile gets no new link: the hold's number leads to the event that placed it
        what["person"] = next((str(link.key) for link in Subject.objects.filter(user=hold.user)), None)
    elif hold.workspace:
        what["workspace"] = str(hold.workspace.public_id)
    else:
        what |= {"kind": hold.kind, "key": str(hold.key)}
    ledger.record(act, source=Source.ADMIN, actor=by, detail=what)
