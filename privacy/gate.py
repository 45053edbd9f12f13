"""The gate: may this person begin a turn in this workspace? One function says so, and every door calls it.

Two questions are kept apart. Does an act need a choice: consumer terms concern personal workspaces only, and reading,
exporting, deleting, settings and signing out never ask. And does this person owe one: that is read from the rows at
every call and remembered nowhere beyond one request, so that whoever has just answered is not asked again, whichever
process serves them.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection

from accounts import clock
from accounts.models import Workspace
from privacy import policy
from privacy.errors import ConsentRequired
from privacy.models import Standing, Terms
from privacy.models.terms import ASKS
from privacy.policy import Gate

if TYPE_CHECKING:
    from accounts.models import User
    from accounts.request import PersonalRequest


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


def needs_choice(workspace: Workspace) -> bool:
    """Whether beginning a turn there needs an answer to consumer terms at all, whoever begins it."""
    return workspace.is_personal


def gate_for(user: "User", workspace: Workspace, *, at: datetime | None = None) -> Answer:
    """The gate's answer for `user` in `workspace` now, in one query at most."""
    return owed_by(user, at=at) if needs_choice(workspace) else OPEN


def owed_by(user: "User", *, at: datetime | None = None, unless_in: str | None = None) -> Answer:
    """What `user` owes in the personal workspace, on the plan that it has now; nothing while they work in the Work
    workspace with the public id `unless_in`. One query.
    """
    return next((owed.answer for owed in owed_by_all([user.pk], at=at, unless_in=unless_in)), OPEN)


@dataclass(frozen=True)
class Owed:
    """What the person of one personal workspace owes there."""

    user: int
    workspace: UUID
    answer: Answer


# In one statement of our own: put together by the ORM it takes four times as long. `asking` holds the versions that
# ask this person; `due` is until when each may be left unanswered. A test holds it and `policy.gate` together.
OWED = f"""
SELECT workspace.personal_to_id, workspace.public_id, answered.id IS NOT NULL, asking.slug, asking.due
FROM accounts_workspace AS workspace
    LEFT JOIN privacy_standing AS standing ON standing.user_id = workspace.personal_to_id
    LEFT JOIN privacy_terms AS answered ON answered.id = standing.terms_id
    CROSS JOIN LATERAL (
        SELECT (array_agg(terms.slug ORDER BY terms.published_at DESC, terms.id DESC))[1] AS slug,
            min(greatest(
                coalesce(terms.deadline, terms.published_at),
                (SELECT max(move.deadline) FROM privacy_deadlinemove AS move WHERE move.terms_id = terms.id)
            )) AS due
        FROM privacy_terms AS terms
        WHERE {ASKS}
    ) AS asking
WHERE workspace.personal_to_id = ANY(%(people)s::bigint[]) AND NOT EXISTS (
    SELECT 1 FROM accounts_workspace AS elsewhere
        JOIN accounts_membership AS membership ON membership.workspace_id = elsewhere.id
    WHERE elsewhere.public_id = %(unless_in)s::uuid AND elsewhere.kind = 'work'
        AND membership.user_id = workspace.personal_to_id
)
"""  # noqa: S608 — a constant


def owed_by_all(people: Collection[int], *, at: datetime | None = None, unless_in: str | None = None) -> Iterator[Owed]:
    """What each of these people (by primary key) owes in their personal workspace. One query."""
    now = at or clock.now()
    with connection.cursor() as cursor:
        cursor.execute(OWED, {"now": now, "people": list(people), "unless_in": unless_in})
        rows = cursor.fetchall()
    for user, workspace, answered, terms, due in rows:
        yield Owed(user, workspace, _answer(bool(answered), terms, due, now))


def _answer(answered: bool, terms: str | None, due: datetime | None, now: datetime) -> Answer:
    deadline = due if answered else None
    owed = policy.Owed(
        personal=True, answered_current=answered and terms is None, answered_any=answered, deadline=deadline
    )
    gate = policy.gate(owed, now)
    # Without terms that ask a new person, nobody can have agreed to anything.
    return OPEN if gate is Gate.OPEN else Answer(gate, terms or "", deadline, newcomer=not answered)


def require_open(user: "User", workspace: Workspace, row: Standing | None, standing: policy.Standing) -> None:
    """Raise ConsentRequired unless a turn may begin, by the standing that the turn has locked.

    The same rule as `gate_for`, on what was read under the lock; only a refusal costs a query, to say what is owed.
    """
    answered = row is not None and row.terms_id is not None
    owed = policy.Owed(
        personal=needs_choice(workspace),
        answered_current=answered and standing.suspended_from is None,
        answered_any=answered,
        deadline=standing.suspended_from,
    )
    if policy.gate(owed, clock.now()) is Gate.STOP:
        answer = gate_for(user, workspace)
        raise ConsentRequired(answer.terms, answer.deadline)


# --- What the clock alone brings about -----------------------------------------


Calendar = tuple[tuple[int, datetime, datetime], ...]


def calendar() -> Calendar:
    """Every version that asks people: its key, when it is published, and until when it may be left unanswered.

    At these moments the gate changes for somebody although nobody did anything. One query.
    """
    rows = Terms.objects.filter(needs_answer=True, published_at__isnull=False).with_due().order_by("pk")
    return tuple(rows.values_list("pk", "published_at", "due"))  # type: ignore[misc]  # annotated


# --- Within one request -------------------------------------------------------


def owed_here(request: "PersonalRequest") -> Answer:
    """What the person of a request owes in the personal workspace, asked once however often it is needed."""
    known: Answer | None = getattr(request, "owed", None)
    if known is None:
        known = request.owed = owed_by(request.user)  # type: ignore[attr-defined]
    return known


def gate_here(request: "PersonalRequest") -> Answer:
    """The gate's answer for the person and the workspace of a request."""
    if getattr(request, "owed", None) is OPEN:  # then the workspace need not be read
        return OPEN
    return owed_here(request) if needs_choice(request.workspace) else OPEN


def answered_here(request: "PersonalRequest") -> None:
    """Whoever has taken an answer in this request says so. It was to the newest version: nothing is owed any more."""
    request.owed = OPEN  # type: ignore[attr-defined]
