"""The one way to obtain a workspace for somebody. Unknown and forbidden look the same."""

from typing import TYPE_CHECKING
from uuid import UUID

from accounts.errors import NotFound
from accounts.models import User, Workspace

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


def workspace_for(user: "User | AnonymousUser", public_id: UUID | str | None) -> Workspace:
    """The workspace `public_id`, if it is open to `user`. Raises NotFound."""
    if not isinstance(user, User) or not user.is_active:
        raise NotFound
    workspace = Workspace.objects.open_to(user).filter(public_id=_uuid(public_id)).first()
    if workspace is None:
        raise NotFound
    return workspace


def _uuid(value: object) -> UUID:
    try:
        return value if isinstance(value, UUID) else UUID(str(value))
    except ValueError:
        raise NotFound from None
