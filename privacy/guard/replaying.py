"""Carrying out again what a restored database does not know: entry by entry, in the order of the log.

Each is harmless where it is true already, and is noted once it is done, so that whoever is killed goes on behind it.
Whatever the backup knows nothing of (a chat begun later, say) is passed over. Nothing here ever allows anything: an
answer that the backup does not know becomes "Don't allow" under a new epoch, whatever it was, and its person can
change it; a hold that was released stays for staff to release again.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils.dateparse import parse_datetime

from accounts import clock
from accounts.errors import NotFound
from accounts.models import User, Workspace
from privacy import choices, deleting, erasure, holds, leaving, overlays, signing
from privacy.errors import TooLate
from privacy.evidence import tree
from privacy.guard import log
from privacy.holdings import all_holdings
from privacy.models import Erasure, GuardEntry, Hold, Leaf

DAY = 86_400  # seconds
HOLD_REASON = "Placed anew: a backup was restored that did not know of this hold."

FLAG_REASON = "Placed because a backup was restored that did not know of this chat's safety review."


@dataclass
class Report:
    """What a database did not know: how many entries of each kind, and how many of them concerned nothing in it."""

    found: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    head: str = ""
    forked: bool = False


def unknown() -> Iterator[log.Line]:
    """Entries of the log that the database does not have, each once. Raises log.Broken."""
    page: list[log.Line] = []
    for line in log.lines():
        page.append(line)
        if len(page) == log.AT_ONCE:
            yield from _new(page)
            page = []
    yield from _new(page)


def _new(page: list[log.Line]) -> list[log.Line]:
    known = set(GuardEntry.objects.filter(key__in=[line.key for line in page]).values_list("key", flat=True))
    return list({line.key: line for line in page if line.key not in known}.values())


def replay(*, dry_run: bool = False) -> Report:
    """Let the database know everything that the log does. Raises log.Broken."""
    report, missing = Report(), list(unknown())
    released = {line.said[line.kind] for line in missing if line.said.get("released")}
    # Purges come last: what re-tags after them would make their rows due later again.
    for line in sorted(missing, key=lambda line: line.kind == "purged"):
        report.found[line.kind] += 1
        if dry_run:
            continue
        if line.said.get(line.kind) not in released:
            report.done[line.kind] += _carried_out(line)
        _note(line)
    _compare_heads(report, missing)
    return report


def _note(line: log.Line) -> None:
    """It is known from now on. Where an entry of this database's own has its place in the log, it is appended anew."""
    taken = GuardEntry.objects.filter(sequence=line.sequence).exists()
    place: dict[str, Any] = {"said": line.said} if taken else {"sequence": line.sequence}
    GuardEntry.objects.create(key=line.key, kind=line.kind, at=line.at, **place)


def _carried_out(line: log.Line) -> int:
    theirs = (holding.replays.get(line.kind) for holding in all_holdings())
    act = ACTS.get(line.kind) or next(filter(None, theirs), None)
    try:
        return int(act(line.said, line.at)) if act else 0
    except (NotFound, TooLate):
        return 0


# --- Chats --------------------------------------------------------------------------


@transaction.atomic
def _deleted(said: dict[str, Any], at: datetime) -> bool:
    row = overlays.locked(UUID(said["key"]))
    rows: Any = type(row)._default_manager.filter(pk=row.pk)
    if row.deleted_at is None:
        deleting.mark(rows, parse_datetime(said["at"]) or at)
        overlays.retag(rows)
    return True


@transaction.atomic
def _restored(said: dict[str, Any], _: datetime) -> bool:
    row = overlays.locked(UUID(said["key"]))
    if row.deleted_at and row.author:
        deleting.take_back(row.author, [type(row)._default_manager.filter(pk=row.pk)])
    return True


def _purged(said: dict[str, Any], at: datetime) -> int:
    """Hidden at once; the next sweep purges it, unless what the backup still says of a hold or a review keeps it."""
    return sum(_purged_one(UUID(key), at) for key in said["keys"])


@transaction.atomic
def _purged_one(key: UUID, at: datetime) -> bool:
    try:
        _deleted({"key": str(key), "at": ""}, at)
    except NotFound:
        return False
    row = overlays.find(key)
    early = row.purge_after - clock.now() if row and row.purge_after and not row.flagged_at else timedelta(0)
    if row and early > timedelta(0):  # as if it had been deleted so long ago that it is due
        rows: Any = type(row)._default_manager.filter(pk=row.pk)
        rows.update(deleted_at=F("deleted_at") - early)
        overlays.retag(rows)
    return True


# --- People -------------------------------------------------------------------------


def _person(said: dict[str, Any]) -> User:
    found = User.objects.select_related("personal_workspace").filter(public_id=said["person"]).first()
    if found is None:
        raise NotFound
    return found


def _answered(said: dict[str, Any], _: datetime) -> bool:
    return choices.forget_permission(_person(said), said["training"], said["epoch"])


def _leaving(said: dict[str, Any], _: datetime) -> bool:
    """Under the certificate whose address they were given."""
    due = parse_datetime(said["due_at"])
    person, left = _person(said), (due - clock.now()).total_seconds() if due else 0
    if leaving.pending(person) and left <= 0:
        leaving.hasten(person)
    begun = leaving.leave(user=person, days=ceil(left / DAY) if left > 0 else 0, checked=False)
    Erasure.objects.filter(pk=begun.pk if begun else None).update(certificate=said["certificate"])
    return True


def _stayed(said: dict[str, Any], _: datetime) -> bool:
    leaving.stay(_who_leaves(said))
    return True


def _erased(said: dict[str, Any], _: datetime) -> bool:
    person = _who_leaves(said)
    if leaving.pending(person):
        leaving.hasten(person)
    return erasure.erase(person.pk)


def _who_leaves(said: dict[str, Any]) -> User:
    found = Erasure.objects.select_related("user__personal_workspace").filter(certificate=said["certificate"]).first()
    if found is None:
        raise NotFound
    return found.user


# --- Agreements and holds -------------------------------------------------------------


def _workspace(said: dict[str, Any]) -> Workspace:
    found = Workspace.objects.filter(public_id=said["workspace"]).first()
    if found is None:
        raise NotFound
    return found


def _agreed(said: dict[str, Any], _: datetime) -> bool:
    return signing.forget_permission(_workspace(said), said["training"], said["epoch"])


@transaction.atomic
def _held(said: dict[str, Any], _: datetime) -> bool:
    target: holds.Target | None
    if said["person"]:
        target = _person(said)
    elif said["workspace"]:
        target = _workspace(said)
    else:
        target = overlays.find(UUID(said["key"]))
    if target is None:
        raise NotFound
    if not Hold.objects.standing().filter(**holds.on_what(target)).exists():
        holds.place(target, HOLD_REASON, by=None)
    return True


@transaction.atomic
def _flagged(said: dict[str, Any], _: datetime) -> bool:
    """What a review was about and told is not in the log: staff looks at it again, and until then it is held."""
    target = overlays.find(UUID(said["key"]))
    if target is None:
        raise NotFound
    if not target.flagged_at and not Hold.objects.standing().filter(**holds.on_what(target)).exists():
        holds.place(target, FLAG_REASON, by=None)
    return True


ACTS: dict[str, Callable[[dict[str, Any], datetime], int | bool]] = {
    "deleted": _deleted,
    "restored": _restored,
    "purged": _purged,
    "answered": _answered,
    "leaving": _leaving,
    "stayed": _stayed,
    "erased": _erased,
    "agreed": _agreed,
    "hold": _held,
    "flag": _flagged,
}


# --- The ledger -----------------------------------------------------------------------


def _compare_heads(report: Report, missing: list[log.Line]) -> None:
    """How the ledger of this database relates to the newest head that was published."""
    heads = [line for line in missing if line.kind == "head"]
    here = Leaf.objects.count()
    if not heads:
        report.head = f"The ledger has {here:,} leaves; no head was published that this database does not know."
        return
    newest = max(heads, key=lambda line: int(line.said["size"]))
    size, at = int(newest.said["size"]), newest.said["at"]
    if here < size:
        report.head = (
            f"The ledger has {here:,} leaves. A head over {size:,} was published at {at}: the evidence of the"
            f" {size - here:,} between them is not in this database, and receipts and certificates of that time"
            " are checked against what their owners keep."
        )
    elif tree.root_of(size) != newest.said["root"]:
        report.forked = True
        report.head = (
            f"The ledger has {here:,} leaves, and its first {size:,} are NOT those over which a head was published at"
            f" {at}: this is another ledger under the same name."
        )
    else:
        report.head = f"The ledger has {here:,} leaves, and agrees with the head over {size:,} published at {at}."
