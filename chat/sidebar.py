"""The list of conversations beside every chat page: one query for the rows, one for which are busy."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import clock
from accounts.models import Workspace
from chat.access import conversations_of
from chat.models import Message
from privacy.badge import badge
from privacy.policy import Standing

if TYPE_CHECKING:
    from accounts.models import User

SHOWN = 200


@dataclass(frozen=True)
class Item:
    """One conversation in the list."""

    public_id: UUID
    title: str
    badge: str
    trains: bool
    busy: bool
    period: str


@dataclass(frozen=True)
class Sidebar:
    """The newest conversations, and whether there are more than these."""

    items: list[Item]
    more: bool


def sidebar(user: "User", workspace: Workspace, standing: Standing) -> Sidebar:
    """The newest conversations of `user` in `workspace`, grouped by when something was last written."""
    busy = Exists(Message.objects.open().filter(conversation=OuterRef("pk")))
    rows = conversations_of(user).listed().in_lists().filter(workspace=workspace).annotate(busy=busy)
    found = list(rows[: SHOWN + 1])
    today = timezone.localdate(clock.now())
    items = [
        Item(
            row.public_id,
            row.title,
            (said := badge(row, standing)).short,
            said.trains,
            row.busy,  # type: ignore[attr-defined]  # annotated above
            _period(timezone.localdate(row.last_activity_at), today),
        )
        for row in found[:SHOWN]
    ]
    return Sidebar(items, more=len(found) > SHOWN)


def _period(day: date, today: date) -> str:
    if day >= today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    if day > today - timedelta(days=7):
        return _("Last 7 days")
    if day > today - timedelta(days=30):
        return _("Last 30 days")
    return _("Older")
