"""How many messages a person may send in a workspace within the plan's rolling window."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Count, Max, Min

from accounts import clock
from accounts.models import Workspace
from accounts.plans import Grant
from chat.errors import LimitReached
from chat.models import SpentTurn

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User


# Callers hold the person: nobody else spends between the count and the row.
SPEND = """
INSERT INTO chat_spentturn (user_id, workspace_id, at) SELECT %s, %s, %s
WHERE (SELECT count(*) FROM chat_spentturn WHERE user_id = %s AND workspace_id = %s AND at > %s) < %s
"""


@dataclass(frozen=True)
class Allowance:
    """What is left of `total`. The oldest spent message comes back at `renews_at`, the last one at `whole_at` (None:
    none is spent).
    """

    left: int
    total: int
    renews_at: datetime | None
    whole_at: datetime | None


def allowance(user: "User", workspace: Workspace) -> Allowance:
    """What `user` has left in `workspace` now."""
    grant = workspace.grant
    used = _spent(user, workspace, grant).aggregate(number=Count("pk"), oldest=Min("at"), newest=Max("at"))
    renews_at, whole_at = (used[end] + grant.window if used[end] else None for end in ("oldest", "newest"))
    return Allowance(max(grant.messages - used["number"], 0), grant.messages, renews_at, whole_at)


def spend(user: "User", workspace: Workspace) -> None:
    """Take one message from the allowance, in the caller's transaction; raises LimitReached."""
    grant, now = workspace.grant, clock.now()
    mine = [user.pk, workspace.pk]
    with connection.cursor() as cursor:
        cursor.execute(SPEND, [*mine, now, *mine, now - grant.window, grant.messages])
        if not cursor.rowcount:
            raise LimitReached(grant.messages)


def _spent(user: "User", workspace: Workspace, grant: Grant) -> "QuerySet[SpentTurn]":
    """What still counts: spent within the plan's rolling window."""
    return SpentTurn.objects.filter(user=user, workspace=workspace, at__gt=clock.now() - grant.window)
