"""Changes of a person that rooms above must hear of; they register, for accounts knows nobody else."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.models import User

Listener = Callable[["User"], None]
_age: list[Listener] = []


def when_age_changes(listener: Listener) -> None:
    """Call `listener` whenever a date of birth was given or corrected, in the same transaction."""
    if listener not in _age:
        _age.append(listener)


def age_changed(user: "User") -> None:
    """Tell everybody who asked; whoever saves a date of birth calls this in its transaction."""
    for listener in _age:
        listener(user)
