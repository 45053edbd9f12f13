"""Word to the open pages of somebody who signed out, was switched off or left a workspace."""

from accounts import changes
from accounts.models import User, Workspace
from chat.journal import control
from chat.turns import effects


def register() -> None:
    changes.when_signed_out(_signed_out)
    changes.when_left(_left)


def _signed_out(user: User) -> None:
    effects.after_commit(lambda: control.publish("signed_out", user=user.pk))


def _left(user: User, workspace: Workspace) -> None:
    effects.after_commit(lambda: control.publish("left", user=user.pk, workspace=workspace.pk))
