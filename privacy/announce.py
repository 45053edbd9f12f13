"""Word that the terms have changed for everybody, for rooms above that keep connections open; they register."""

from collections.abc import Callable

from django.db import transaction

_listeners: list[Callable[[], None]] = []


def when_terms_change(listener: Callable[[], None]) -> None:
    """Call `listener` after the commit of every publication, and of every deadline that was moved."""
    if listener not in _listeners:
        _listeners.append(listener)


def terms_changed() -> None:
    """Tell everybody who asked, once the caller's transaction is committed."""
    for listener in _listeners:
        transaction.on_commit(listener, robust=True)
