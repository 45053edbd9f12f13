"""Writing evidence. There is no function here that changes any: the database would refuse it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from privacy.models import Event, Subject, Terms
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from accounts.models import User


def subject_key(user: "User") -> UUID:
    """The random number under which the ledger knows `user`, made on first use."""
    subject, _ = Subject.objects.get_or_create(user=user)
    return subject.key


def record(
    act: Act,
    *,
    source: Source,
    subject: "User | None" = None,
    actor: "User | None" = None,
    terms: Terms | None = None,
    detail: Mapping[str, Any] | None = None,
) -> Event:
    """Append one event, in the caller's transaction: an act and its evidence stand or fall together."""
    return Event.objects.create(
        act=act,
        source=source,
        subject=subject_key(subject) if subject else None,
        actor=subject_key(actor) if actor else None,
        terms=terms.digest if terms else "",
        detail=dict(detail or {}),
    )
