"""Reading a person's standing and schedule, as the policy wants them."""

from datetime import datetime

from accounts import clock
from accounts.models import User, Workspace
from privacy import policy
from privacy.models import Agreed, Standing, Terms, agreement_of
from privacy.models.terms import ASKS

# In one statement of our own, as the gate's: put together by the ORM it is a third of what a choice takes.
OWED = f"""
SELECT terms.*
FROM accounts_workspace AS workspace
    LEFT JOIN privacy_standing AS standing ON standing.user_id = workspace.personal_to_id
    LEFT JOIN privacy_terms AS answered ON answered.id = standing.terms_id
    JOIN privacy_terms AS terms ON terms.id = answered.id OR {ASKS}
WHERE workspace.personal_to_id = %(user)s
ORDER BY terms.published_at DESC, terms.id DESC
LIMIT 1
"""  # noqa: S608 — a constant


def owed_terms(user: User, *, at: datetime | None = None) -> Terms | None:
    """The version that `user` answers now: the newest that asks people on their plan, or the one they answered if none
    newer does. A new person answers what is in effect for new people.
    """
    return next(iter(Terms.objects.raw(OWED, {"now": at or clock.now(), "user": user.pk})), None)


def as_facts(user: User | None, standing: Standing | None) -> policy.Standing:
    """What the ledger says of `user` now, with age and suspension, given their row (or none yet).

    Of somebody who has been erased it says nothing.

    The age is that of the person as the row was read with; `user` may have been loaded long before the lock.
    """
    if user is None:
        return policy.Standing()
    if standing is None:
        return policy.Standing(adult_since=User.objects.get(pk=user.pk).adult_since())
    return standing.facts(adult_since=standing.user.adult_since())


def standing_of(user: User | None) -> policy.Standing:
    """What the ledger says of `user` now; nothing of somebody who has been erased."""
    return as_facts(user, Standing.objects.whole().filter(user=user).first())


def schedule_for(workspace: Workspace, standing: Standing | None) -> policy.Schedule:
    """The retention schedule in force: of the terms a person answered, or a Work workspace's agreement."""
    if not workspace.is_personal:
        return policy.Schedule(agreement=agreement_of(workspace))
    return schedule_of(standing)


def schedule_of(standing: Standing | None) -> policy.Schedule:
    """The schedule of the terms that a person answered, or the usual one."""
    return standing.terms.schedule if standing and standing.terms else policy.Schedule()


def schedule_for_turn(workspace: Workspace, standing: Standing | None) -> policy.Schedule:
    """The same, which no signature changes before the caller's commit. (A personal one hangs on the locked standing.)

    Locks come in one order: person, standing, what is agreed on, conversation.
    """
    if not workspace.is_personal:
        Agreed.objects.for_turn(workspace)
    return schedule_for(workspace, standing)
