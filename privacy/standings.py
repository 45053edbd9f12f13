"""Reading a person's standing and schedule, as the policy wants them."""

from accounts import clock
from accounts.models import User, Workspace
from privacy import policy
from privacy.models import Standing, Terms


def owed_terms(user: User) -> Terms | None:
    """The version that `user` answers now: the newest that asks people on their plan, or the one they answered if none
    newer does. A new person answers what is in effect for new people."""
    now = clock.now()
    answered = Terms.objects.filter(pk__in=Standing.objects.filter(user=user).values("terms")).first()
    asking = Terms.objects.asking(now, user.personal_workspace.plan)
    if answered is None:
        return asking.for_newcomers(now).first()
    return asking.newer_than(answered.published_at, answered.pk).first() or answered


def as_facts(user: User, standing: Standing | None) -> policy.Standing:
    """What the ledger says of `user` now, with age and suspension, given their row (or none yet).

    The age is that of the person as the row was read with; `user` may have been loaded long before the lock.
    """
    if standing is None:
        return policy.Standing(adult_since=User.objects.get(pk=user.pk).adult_since())
    return standing.facts(adult_since=standing.user.adult_since())


def standing_of(user: User) -> policy.Standing:
    """What the ledger says of `user` now."""
    return as_facts(user, Standing.objects.whole().filter(user=user).first())


def schedule_for(workspace: Workspace, standing: Standing | None) -> policy.Schedule:
    """The retention schedule in force: of the terms a person answered, or a Work workspace's agreement."""
    if not workspace.is_personal:
        return policy.Schedule()
    return standing.terms.schedule if standing and standing.terms else policy.Schedule()
