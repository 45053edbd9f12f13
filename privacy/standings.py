"""Reading a person's standing and schedule, as the policy wants them."""

from typing import TYPE_CHECKING

from accounts import clock
from accounts.models import Workspace
from privacy import policy
from privacy.models import Standing, Terms

if TYPE_CHECKING:
    from accounts.models import User


def owed_terms() -> Terms | None:
    """The version that people owe an answer to now."""
    return Terms.objects.asking(clock.now()).first()


def as_facts(user: "User", standing: Standing | None) -> policy.Standing:
    """What the ledger says of `user` now, with age and suspension, given their row (or none yet)."""
    standing = standing or Standing(user=user)
    current = owed_terms()
    behind = current is not None and standing.terms is not None and _older(standing.terms, current)
    return standing.facts(
        adult_since=user.adult_since(), suspended_from=current.deadline if current and behind else None
    )


def standing_of(user: "User") -> policy.Standing:
    """What the ledger says of `user` now."""
    return as_facts(user, Standing.objects.select_related("terms").filter(user=user).first())


def schedule_for(workspace: Workspace, standing: Standing | None) -> policy.Schedule:
    """The retention schedule in force: of the terms a person answered, or a Work workspace's agreement."""
    if not workspace.is_personal:
        return policy.Schedule()
    terms = (standing.terms if standing else None) or owed_terms()
    return terms.schedule if terms else policy.Schedule()


def _older(answered: Terms, current: Terms) -> bool:
    assert answered.published_at and current.published_at  # only published versions can be answered or owed
    return answered.published_at < current.published_at
