"""What lies over a conversation's class, a hold or a review, is laid and lifted in one way.

Locks come in the order of a turn (person, standing, what is agreed on, conversation), so no turn is being begun under
what changes, until the commit. Tags follow in the same transaction.
"""

from typing import TYPE_CHECKING, Any

from accounts.errors import NotFound
from accounts.models import User, Workspace
from privacy import policy, retagging, standings, tagging
from privacy.holdings import tagged_holdings
from privacy.models import Agreed, Standing, Tagged

if TYPE_CHECKING:
    from uuid import UUID


def models() -> list[Any]:
    return [model for _, model in tagged_holdings()]


def find(key: "UUID") -> Tagged | None:
    """The conversation of this key, hidden or not: a hold or a review may be the only thing that keeps it."""
    found = (model._default_manager.filter(public_id=key).first() for model in models())
    return next((row for row in found if row), None)


def locked(key: "UUID") -> Tagged:
    """The conversation of this key, which nobody else changes until the commit. Raises NotFound if it is purged."""
    row = find(key)
    if row is None:
        raise NotFound
    wait_for_turns(row.author or row.workspace.personal_to, row.workspace)
    here: Any = type(row)._default_manager
    again: Tagged | None = here.select_for_update(of=("self",)).filter(pk=row.pk).first()
    if again is None:
        raise NotFound
    retagging.catch_up_one(again)
    return again


def wait_for_turns(person: User | None, place: Workspace | None) -> None:
    """No turn of theirs, or there, is being begun until the commit."""
    if person:
        list(User.objects.select_for_update(no_key=True).filter(pk=person.pk).values_list("pk"))
        Standing.objects.for_change(person)
    if place and not place.is_personal:
        Agreed.objects.for_change(place)


def retag(rows: Any) -> None:
    """Give these rows, whoever wrote them, the tags that their facts ask for now."""
    for place in rows.places():
        standing = Standing.objects.whole().filter(user=place.personal_to).first()
        facts = standings.as_facts(place.personal_to, standing) if place.personal_to else policy.Standing()
        schedule = standings.schedule_for_turn(place, standing)
        tagging.retag_in(place, rows.filter(workspace=place), facts, schedule)
