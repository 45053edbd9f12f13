"""The gate: may this person begin a turn in this workspace? One function says so, and every door calls it.

Consumer terms concern personal workspaces only. Reading, exporting, deleting, settings and signing out never ask.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Subquery

from accounts import clock
from accounts.models import Workspace
from privacy import policy
from privacy.errors import ConsentRequired
from privacy.models import Standing, Terms
from privacy.policy import Gate

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True)
class Answer:
    """What the gate says, with what pages and frames need to tell people."""

    gate: Gate
    terms: str = ""  # slug of the version that is owed
    deadline: datetime | None = None  # the earliest that was left unanswered; None: has never answered any terms
    newcomer: bool = False  # has never answered any terms

    @property
    def stopped(self) -> bool:
        return self.gate is Gate.STOP


OPEN = Answer(Gate.OPEN)


def gate_for(user: "User", workspace: Workspace) -> Answer:
    """The gate's answer for `user` in `workspace`, in one query at most. The plan is the one the workspace has now."""
    if not workspace.is_personal:
        return OPEN
    now = clock.now()
    answered = Standing.objects.filter(user=user, terms__isnull=False)
    asking = Terms.objects.asking(now, OuterRef("plan"))
    unanswered = asking.newer_than(Subquery(answered.values("terms__published_at")), Subquery(answered.values("terms")))
    answered_any, owed_first, owed_next, deadline = Workspace.objects.filter(pk=workspace.pk).values_list(
        Exists(answered),
        Subquery(asking.for_newcomers(now).values("slug")[:1]),
        Subquery(unanswered.values("slug")[:1]),
        Subquery(unanswered.dues()[:1]),
    )[0]
    owed = policy.Owed(
        personal=True,
        answered_current=answered_any and owed_next is None,
        answered_any=answered_any,
        deadline=deadline,
    )
    gate = policy.gate(owed, now)
    if gate is Gate.OPEN:
        return OPEN
    # Nothing published that asks a new person: nobody can have agreed to anything.
    return Answer(gate, (owed_next if answered_any else owed_first) or "", deadline, newcomer=not answered_any)


def require_open(user: "User", workspace: Workspace, row: Standing | None, standing: policy.Standing) -> None:
    """Raise ConsentRequired unless a turn may begin, by the standing that the turn has locked.

    The same rule as `gate_for`, on what was read under the lock; only a refusal costs a query, to say what is owed.
    """
    answered = row is not None and row.terms_id is not None
    owed = policy.Owed(
        personal=workspace.is_personal,
        answered_current=answered and standing.suspended_from is None,
        answered_any=answered,
        deadline=standing.suspended_from,
    )
    if policy.gate(owed, clock.now()) is Gate.STOP:
        answer = gate_for(user, workspace)
        raise ConsentRequired(answer.terms, answer.deadline)
