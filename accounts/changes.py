"""Changes of a person that rooms above must hear of; they register, for accounts knows nobody else."""

from collections.abc import Callable

from accounts.models import User, Workspace

Listener = Callable[[User], None]
LeftListener = Callable[[User, Workspace], None]
_age: list[Listener] = []
_signed_out: list[Listener] = []
_left: list[LeftListener] = []


def when_age_changes(listener: Listener) -> None:
    """Call `listener` whenever a date of birth was given or corrected, in the same transaction."""
    if listener not in _age:
        _age.append(listener)


def age_changed(user: User) -> None:
    """Tell everybody who asked; whoever saves a date of birth calls this in its transaction."""
    for listener in _age:
        listener(user)


def when_signed_out(listener: Listener) -> None:
    """Call `listener` whenever sessions of somebody have ended: one (signing out) or several (a new password)."""
    if listener not in _signed_out:
        _signed_out.append(listener)


def signed_out(user: User) -> None:
    """Tell everybody who asked; whoever ends sessions calls this afterwards."""
    for listener in _signed_out:
        listener(user)


def when_left(listener: LeftListener) -> None:
    """Call `listener` whenever somebody is no longer a member of a workspace, in the same transaction."""
    if listener not in _left:
        _left.append(listener)


def left(user: User, workspace: Workspace) -> None:
    """Tell everybody who asked; whoever takes a membership away calls this in its transaction."""
    for listener in _left:
        listener(user, workspace)
