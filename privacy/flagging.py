"""Flagging a conversation for safety review, and ending the review: acts of staff, for a reason, in the ledger.

From the commit on it trains nothing, and if it is purged, then two years after the flag at the earliest. It hides
nothing: its author goes on reading and writing in it until it ends as ever. They are told in the transaction itself,
in words of their own beside the reason, which is for staff; and they may appeal (privacy/appeals.py).

The ledger has the review's number and the conversation's key, and no word of either side: those go with the
conversation.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import clock
from accounts.errors import NotFound
from accounts.models import User
from privacy import ledger, letters, overlays, reading, tagging
from privacy.holdings import tell_standing_changed
from privacy.models import Appeal, Erasure, Flag, Letter, Tagged
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from uuid import UUID


class AlreadyFlagged(Exception):
    """This conversation is under review already."""


class AlreadyEnded(Exception):
    """Somebody has ended this review before."""


@transaction.atomic
def flag(conversation: Tagged, *, reason: str, told: str, by: User, readers: Iterable[User] = ()) -> Flag:
    """Put one conversation, hidden or not, under review. `told` is what its author reads; `readers` alone may read it.

    Raises AlreadyFlagged, and NotFound if it is purged meanwhile.
    """
    row = overlays.locked(conversation.public_id)
    if Flag.objects.standing().on(row).exists():
        raise AlreadyFlagged
    raised = Flag.objects.create(
        kind=row._meta.label_lower,
        key=row.public_id,
        person=_to_be_told(row),
        reason=reason.strip(),
        told=told.strip(),
        flagged_at=clock.now(),
    )
    _rows(row).update(flagged_at=raised.flagged_at)
    _record(Act.FLAGGED, raised, by, **reading.name(raised, readers))
    overlays.retag(_rows(row))
    _tell(raised, row, Letter.What.FLAGGED)
    return raised


@transaction.atomic
def unflag(flag: Flag, *, reason: str, by: User) -> Flag:
    """End a review: the conversation gets its tag back, an appeal that waits is granted.

    Raises AlreadyEnded, NotFound.
    """
    row = overlays.locked(flag.key)
    ended = held(flag)
    ended.released_at, ended.release_reason = clock.now(), reason.strip()
    ended.save(update_fields=["released_at", "release_reason"])
    tagging.give_notice(_rows(row), ended.released_at)
    _rows(row).update(flagged_at=None)
    overlays.retag(_rows(row))
    waiting = Appeal.objects.filter(flag=ended, answered_at__isnull=True)
    waiting.update(answer=Appeal.Answer.GRANTED, answered_at=ended.released_at)
    _record(Act.UNFLAGGED, ended, by)
    _tell(ended, row, Letter.What.ENDED)
    return ended


def held(flag: Flag) -> Flag:
    """The flag as it is now, changed by nobody else until the commit. After conversations in the order of locks.

    Raises AlreadyEnded, and NotFound once its conversation is purged.
    """
    here = Flag.objects.select_for_update(of=("self",)).select_related("person").filter(pk=flag.pk).first()
    if here is None:
        raise NotFound
    if here.released_at:
        raise AlreadyEnded
    return here


def forget(kind: str, keys: "Sequence[UUID]") -> None:
    """What was said about conversations that are being purged goes with them, in the caller's transaction.

    Locked first: whoever is appealing at this moment comes before, and goes too, or finds nothing.
    """
    flags = Flag.objects.filter(kind=kind, key__in=keys).order_by("pk")
    if not Flag.objects.exists():  # a thousand keys are not looked for where there is nothing
        return
    if gone := list(flags.select_for_update(of=("self",)).values_list("pk", flat=True)):
        Flag.objects.filter(pk__in=gone).delete()


def _to_be_told(row: Tagged) -> User | None:
    """Its author; nobody where there is none, or where they have left and can no longer come back."""
    return None if Erasure.objects.due(clock.now()).filter(user=row.author_id).exists() else row.author


def _rows(row: Tagged) -> Any:
    return type(row)._default_manager.filter(pk=row.pk)


def _record(act: Act, flag: Flag, by: User, **more: Any) -> None:
    what = {"flag": flag.pk, "kind": flag.kind, "key": str(flag.key), **more}
    ledger.record(act, source=Source.ADMIN, actor=by, detail=what)


def _tell(flag: Flag, row: Tagged, what: Letter.What) -> None:
    if flag.person:
        letters.write(flag.person, what, about=flag.public_id)
    if row.author_id:
        tell_standing_changed(row.author_id)
