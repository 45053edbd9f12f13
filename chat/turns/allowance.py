"""How many messages a person may send in a workspace within the plan's rolling window."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from accounts import clock
from accounts.models import Workspace
from chat.errors import LimitReached
from chat.models import SpentTurn

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True)
class Allowance:
    """What is left of `total`; `renews_at` is when the oldest spent message comes back (None: none spent)."""

    left: int
    total: int
    renews_at: datetime | None


def allowance(user: "User", workspace: Workspace) -> Allowance:
    grant = workspace.grant
    since = clock.now() - grant.window
    spent = list(
        SpentTurn.objects.filter(user=user, workspace=workspace, at__gt=since)
        .order_by("-at")
        .values_list("at", flat=True)[: grant.messages]
    )
    renews_at = spent[-1] + grant.window if spent else None
    return Allowance(max(grant.messages - len(spent), 0), grant.messages, renews_at)


def spend(user: "User", workspace: Workspace) -> None:
    """Take one message from the allowance, in the caller's transaction; raises LimitReached."""
    now = allowance(user, workspace)
    if not now.left:
        raise LimitReached(now.total)
    SpentTurn.objects.create(user=user, workspace=workspace)
