"""Writing evidence. There is no function here that changes any: the database would refuse it.

Events of one subject form a chain: each carries the hash of the one before. Writers of the same subject wait for each
other until commit; those of different subjects never do, and nobody waits for the Merkle tree (privacy/evidence/).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.db import connection, transaction

from accounts import clock
from privacy.evidence import entry, keys
from privacy.models import Event, Subject, Terms
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True)
class Entry:
    """One act to be recorded. `detail` holds strings, whole numbers, booleans, null, and lists and objects of them."""

    act: Act
    terms: Terms | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


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
    context: Mapping[str, str] | None = None,
) -> Event:
    """Append one event, in the caller's transaction: an act and its evidence stand or fall together."""
    entries = [Entry(act, terms, detail or {})]
    return record_all(entries, source=source, subject=subject, actor=actor, context=context)[0]


@transaction.atomic
def record_all(
    entries: Sequence[Entry],
    *,
    source: Source,
    subject: "User | None" = None,
    actor: "User | None" = None,
    context: Mapping[str, str] | None = None,
) -> list[Event]:
    """Append the events of one act, in this order and in the caller's transaction (`context`: evidence/context.py)."""
    whose = subject_key(subject) if subject else None
    whom = whose if actor == subject else subject_key(actor) if actor else None
    previous = _last_hash(whose) if whose else ""
    now, (mac_id, mac_key), events = clock.now(), keys.mac_key(), []
    for item in entries:
        says: dict[str, Any] = {
            "key": uuid4(),
            "subject": whose,
            "actor": whom,
            "act": item.act.value,
            "terms": item.terms.digest if item.terms else "",
            "source": source.value,
            "at": now,
            "detail": dict(item.detail),
            "context": dict(context or {}),
            "previous": previous,
        }
        hashed = entry.hash_of(entry.said(**says))
        events.append(Event(**says, hash=hashed, mac=entry.mac_of(hashed, mac_key), mac_key=mac_id))
        previous = hashed if whose else ""
    return Event.objects.bulk_create(events)


def _last_hash(subject: UUID) -> str:
    """The hash of the subject's latest event, once nobody else is writing about it; theirs wait until commit.

    Two statements: one that waits for its lock would see the chain as it was before the wait.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(subject)])
    return Event.objects.filter(subject=subject).order_by("-pk").values_list("hash", flat=True).first() or ""
