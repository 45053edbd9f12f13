"""Reading a person's standing and schedule, as the policy wants them."""

from datetime import datetime

from accounts import clock
from accounts.models import User, Workspace
from privacy import policy
from privacy.models import Standing, Terms


def owed_terms() -> Terms | None:
    """The version that people owe an answer to now."""
    return Terms.objects.asking(clock.now()).first()


def as_facts(user: User, standing: Standing | None) -> policy.Standing:
    """What the ledger says of `user` now, with age and suspension, given their row (or none yet).

    The age is that of the person as the row was read with; `user` may have been loaded long before the lock.
    """
    if standing is None:
        return policy.Standing(adult_since=User.objects.get(pk=user.pk).adult_since())
    return standing.facts(adult_since=standing.user.adult_since(), suspended_from=_suspended_from(standing.terms))


def standing_of(user: User) -> policy.Standing:
    """What the ledger says of `user` now."""
    return as_facts(user, Standing.objects.whole().filter(user=user).first())


def schedule_for(workspace: Workspace, standing: Standing | None) -> policy.Schedule:
    """The retention schedule in force: of the terms a person answered, or a Work workspace's agreement."""
    if not workspace.is_personal:
        return policy.Schedule()
    terms = (standing.terms if standing else None) or owed_terms()
    return terms.schedule if terms else policy.Schedule()


def _suspended_from(answered: Terms | None) -> datetime | None:
    """From when on an answer to these terms rests, because newer ones are unanswered; the gate stops at the same."""
    if answered is None:
        return None
    return Terms.objects.asking(clock.now()).newer_than(answered.published_at, answered.pk).dues().first()
