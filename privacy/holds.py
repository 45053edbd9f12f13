"""Placing and releasing legal holds: acts of staff, for a reason, in the ledger.

A hold reaches everything of its person, workspace or conversation from the commit that places it on, whatever its rows
say yet: nothing of it is purged any more and nothing of it trains; what is begun later under a held person or workspace
is held from its first message on (`tagging.begin`). It hides nothing, and shows nothing to anybody but the readers that
it names (privacy/reading.py): what comes to its end is hidden as ever.

Released, what another hold still covers stays held. The rest gets its tag back, and as a release is no act of its
owner, no end is nearer than thirty days then; what they deleted themselves goes at once.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import clock
from accounts.models import User, Workspace
from privacy import ledger, overlays, policy, reading, retagging, standings
from privacy.holdings import tell_standing_changed
from privacy.models import Hold, Standing, Subject, Tagged
from privacy.vocabulary import Act, Source

Target = User | Workspace | Tagged


class AlreadyReleased(Exception):
    """Somebody has released this hold before."""


@transaction.atomic
def place(target: Target, reason: str, *, by: User | None, readers: Iterable[User] = ()) -> Hold:
    """Hold a person, a workspace or one conversation, from the commit on. `readers` alone may read what it covers.

    Without `by` it is the operator's act.
    """
    hold = Hold(reason=reason.strip(), placed_at=clock.now(), **on_what(target))
    _wait_for_turns(hold)
    hold.save()
    named = reading.name(hold, readers)
    _tell(Act.HOLD_PLACED, hold, hold.reason, by, **named)
    _carry_out(hold, hold.placed_at)
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
    _tell(Act.HOLD_RELEASED, held, held.release_reason, by)
    _carry_out(held, held.released_at)
    return held


def on_what(target: Target) -> dict[str, Any]:
    if isinstance(target, User):
        return {"user": target}
    if isinstance(target, Workspace):
        return {"workspace": target}
    return {"kind": target._meta.label_lower, "key": target.public_id}


def _rows(hold: Hold, model: Any) -> Any:
    return model._default_manager.filter(Hold.objects.filter(pk=hold.pk).covered(model._meta.label_lower))


def _wait_for_turns(hold: Hold) -> None:
    row = overlays.find(hold.key) if hold.key else None
    place_ = hold.workspace or (row.workspace if row else None)
    person = hold.user or (row.author if row else None) or (place_.personal_to if place_ else None)
    overlays.wait_for_turns(person, place_)


def _carry_out(hold: Hold, at: datetime) -> None:
    """Mark and re-tag what the hold covers, each place under its own rule."""
    for place_ in _places(hold):
        standing = Standing.objects.whole().filter(user=place_.personal_to).first()
        facts = standings.as_facts(place_.personal_to, standing) if place_.personal_to else policy.Standing()
        schedule = standings.schedule_for_turn(place_, standing)
        terms = standing.terms if standing else None
        decided = retagging.Decided(place_, facts, schedule, at, author=hold.user, hold=hold, terms=terms)
        retagging.carry_out(decided, key=hold.key)
    if hold.user_id:
        tell_standing_changed(hold.user_id)


def _places(hold: Hold) -> list[Workspace]:
    """Where the covered rows are, in the order in which places are locked."""
    found = {place_.pk: place_ for model in overlays.models() for place_ in _rows(hold, model).places()}
    return [found[pk] for pk in sorted(found)]


def _tell(act: Act, hold: Hold, reason: str, by: User | None, **more: Any) -> None:
    """Evidence without people: a person is the random number under which the ledger knows them."""
    what: dict[str, Any] = {"hold": hold.pk, "reason": reason, **more}
    if hold.user and act is Act.HOLD_PLACED:
        what["person"] = str(ledger.subject_key(hold.user))
    elif hold.user:  # who has left meanwhile gets no new link: the hold's number leads to the event that placed it
        what["person"] = next((str(link.key) for link in Subject.objects.filter(user=hold.user)), None)
    elif hold.workspace:
        what["workspace"] = str(hold.workspace.public_id)
    else:
        what |= {"kind": hold.kind, "key": str(hold.key)}
    ledger.record(act, source=Source.ADMIN if by else Source.OPERATOR, actor=by, detail=what)
