"""Changes of a person that rooms above must hear of; they register, for accounts knows nobody else."""

from collections.abc import Callable
from typing import Generic, ParamSpec

from accounts.models import User, Workspace

P = ParamSpec("P")


class Change(Generic[P]):
    """Called by whoever makes the change; tells everybody who registered with `when`."""

    def __init__(self) -> None:
        self._listeners: list[Callable[P, None]] = []

    def when(self, listener: Callable[P, None]) -> None:
        """Call `listener` whenever it happens; registering twice changes nothing."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        for listener in self._listeners:
            listener(*args, **kwargs)


# A date of birth was given or corrected; in the same transaction.
age_changed: Change[[User]] = Change()
when_age_changes = age_changed.when

# Sessions of somebody have ended, one (signing out) or several (a new password); afterwards.
signed_out: Change[[User]] = Change()
when_signed_out = signed_out.when

# Somebody is no longer a member of a workspace; in the same transaction.
left: Change[[User, Workspace]] = Change()
when_left = left.when
