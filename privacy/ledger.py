"""Writing evidence. There is no function here that changes any: the database would refuse it.

Events of one subject form a chain: each carries the hash of the one before. Writers of the same subject wait for each
other until commit; those of different subjects never do, and nobody waits for the Merkle tree (privacy/evidence/).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.db import connection, transaction

from accounts import clock
from privacy.evidence import entry, keys
from privacy.models import Event, Subject, Terms
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from accounts.models import User

LOCKED = """
SELECT user_id, key, CASE WHEN user_id = %s THEN pg_advisory_xact_lock(hashtextextended(key::text, 0)) END
FROM privacy_subject WHERE user_id = ANY(%s)
"""


@dataclass(frozen=True)
class Entry:
    """One act to be recorded. `detail` holds strings, whole numbers, booleans, null, and lists and objects of them."""

    act: Act
    terms: Terms | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def record(
    act: Act,
    *,
    source: Source,
    subject: "User | None" = None,
    actor: "User | None" = None,
    terms: Terms | None = None,
    detail: Mapping[str, Any] | None = None,
    context: Mapping[str, str] | None = None,
    at: datetime | None = None,
) -> Event:
    """Append one event, in the caller's transaction: an act and its evidence stand or fall together."""
    entries = [Entry(act, terms, detail or {})]
    return record_all(entries, source=source, subject=subject, actor=actor, context=context, at=at)[0]


@transaction.atomic(savepoint=False)
def record_all(
    entries: Sequence[Entry],
    *,
    source: Source,
    subject: "User | None" = None,
    actor: "User | None" = None,
    context: Mapping[str, str] | None = None,
    at: datetime | None = None,
) -> list[Event]:
    """Append the events of one act, in this order and in the caller's transaction (`context`: evidence/context.py).

    `at` is the moment of the act where the caller has noted it elsewhere too. Three statements for people whom the
    ledger knows. Whoever records about several people in one transaction does so in the order of their ids.
    """
    whose, whom = _keys_of(subject, actor)
    previous = _last_hash(whose) if whose else ""
    at, (mac_id, mac_key), events = at or clock.now(), keys.mac_key(), []
    for item in entries:
        says: dict[str, Any] = {
            "key": uuid4(),
            "subject": whose,
            "actor": whom,
            "act": item.act.value,
            "terms": item.terms.digest if item.terms else "",
            "source": source.value,
            "at": at,
            "detail": dict(item.detail),
            "context": dict(context or {}),
            "previous": previous,
        }
        hashed = entry.hash_of(entry.said(**says))
        events.append(Event(**says, hash=hashed, mac=entry.mac_of(hashed, mac_key), mac_key=mac_id))
        previous = hashed if whose else ""
    return Event.objects.bulk_create(events)


def subject_key(user: "User") -> UUID:
    """The random number under which the ledger knows `user`, made on first use."""
    subject, _ = Subject.objects.get_or_create(user=user)
    return subject.key


def hold(subject: UUID) -> None:
    """Wait until nobody else is writing about `subject`, and let others wait until commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s::text, 0))", [str(subject)])


def _keys_of(subject: "User | None", actor: "User | None") -> tuple[UUID | None, UUID | None]:
    """The random numbers under which the ledger knows these two, made on first use; the subject's chain is locked."""
    whose, whom = subject.pk if subject else None, actor.pk if actor else None
    people = sorted({person for person in (whose, whom) if person})
    if not people:
        return None, None
    found = _locked(people, whose)
    if len(found) < len(people):
        # In one order, for two acts may each make the links of the same two people.
        Subject.objects.bulk_create([Subject(user_id=person) for person in people], ignore_conflicts=True)
        found = _locked(people, whose)
    return found.get(whose), found.get(whom)


def _locked(people: Sequence[int], subject: int | None) -> dict[int | None, UUID]:
    """The keys of `people`, once nobody else is writing about `subject`; others then wait until commit.

    It is a statement of its own: one that waits for its lock sees the chain as it was before the wait.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCKED, [subject, list(people)])
        return {person: key for person, key, _ in cursor.fetchall()}


def _last_hash(subject: UUID) -> str:
    """The hash of the subject's latest event. Its chain must be locked."""
    return Event.objects.filter(subject=subject).order_by("-pk").values_list("hash", flat=True).first() or ""
