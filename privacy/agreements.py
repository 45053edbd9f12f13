"""Whose agreement applies at work: there, no answer of a member adds or takes away anything."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, prefetch_related_objects
from django.utils.translation import gettext as _

from accounts import clock
from accounts.models import Membership, Workspace
from privacy.holdings import tagged_holdings
from privacy.models import agreement_of
from privacy.prose import how_long

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True)
class Agreement:
    """What applies in one Work workspace, as one of its members reads it."""

    workspace: Workspace
    owners: list[str]
    owned: bool  # by the reader
    kept: str
    trains: bool
    chats: int  # of the reader


def agreements_of(user: "User", workspaces: Sequence[Workspace]) -> list[Agreement]:
    """The agreements of the Work workspaces among these, which are open to `user`."""
    work = [one for one in workspaces if not one.is_personal]
    if not work:
        return []
    prefetch_related_objects(work, "agreed__agreement")
    owners, chats = _owners(work), _chats(user, work)
    return [
        Agreement(
            workspace=one,
            owners=[owner.get_short_name() for owner in owners[one.pk]],
            owned=user in owners[one.pk],
            kept=_kept(one),
            trains=agreement_of(one).training,
            chats=chats[one.pk],
        )
        for one in work
    ]


def _kept(workspace: Workspace) -> str:
    lasts = agreement_of(workspace).lifetime
    if lasts is None:
        return _("Chats there stay until somebody deletes them: the agreement gives them no end.")
    return _("Chats there are kept for %(time)s after their last message.") % {"time": how_long(lasts)}


def _owners(work: Sequence[Workspace]) -> "defaultdict[int, list[User]]":
    found: defaultdict[int, list[User]] = defaultdict(list)
    rows = Membership.objects.filter(workspace__in=work, role=Membership.Role.OWNER, user__is_active=True)
    for row in rows.select_related("user").order_by("pk"):
        found[row.workspace_id].append(row.user)
    return found


def _chats(user: "User", work: Sequence[Workspace]) -> Counter[int]:
    found: Counter[int] = Counter()
    for _holding, model in tagged_holdings():
        rows: Any = model._default_manager
        mine = rows.visible(clock.now()).filter(author=user, workspace__in=work)
        found.update(dict(mine.values_list("workspace").annotate(Count("pk")).order_by()))
    return found
