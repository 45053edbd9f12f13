"""Sealing: what must not train any more is taken out, and then the set is closed, with its hash in the ledger.

What can be taken out beforehand is, without any lock. Then one transaction holds everything still that decides on the
members (`permission.hold_still`), asks once more, takes out the few that are left, and writes the event. A withdrawal,
a deletion, a hold or a review that comes at the same time either was before, and is not in the set, or waits until the
event is committed, and is on the drop list of every run. There is nothing between: docs/decisions/0016-training-sets.md
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from accounts import clock
from chat.models import Conversation, TrainingChunk, TrainingMember, TrainingSet
from chat.training import asking, manifest
from chat.training.asking import Member
from chat.training.outcomes import INCLUDED
from privacy import ledger, permission
from privacy.permission import Refusal
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from accounts.models import User

AT_ONCE = 20_000  # members asked for in one statement
Refused = dict[int, dict[int, tuple[UUID, Refusal]]]  # by chunk and member: its key, and why


class NotToBeSealed(Exception):
    """The set is not built yet, is sealed already, or was built without the filter."""


class NotToBeReleased(Exception):
    """Only a sealed set is released, and only once."""


def seal(training_set: TrainingSet, *, by: "User | None" = None) -> TrainingSet:
    """Close a set. Raises NotToBeSealed, Damaged. Sealed already, only its folder is put in order."""
    training_set.refresh_from_db()
    if training_set.state == TrainingSet.State.SEALED:
        return _put_in_order(training_set)
    _require_built(training_set)
    manifest.require_whole(training_set, _files(training_set))
    take_out(training_set)
    _close(training_set, by)
    training_set.refresh_from_db()
    return _put_in_order(training_set)


@transaction.atomic
def release(training_set: TrainingSet, *, by: "User | None" = None) -> TrainingSet:
    """Let a sealed set be trained on. Raises NotToBeReleased, Damaged."""
    held = TrainingSet.objects.select_for_update().get(pk=training_set.pk)
    if held.state != TrainingSet.State.SEALED:
        raise NotToBeReleased
    manifest.require_whole(held, _files(held))
    held.state, held.released_at = TrainingSet.State.RELEASED, clock.now()
    held.save(update_fields=["state", "released_at"])
    _tell(Act.TRAINING_SET_RELEASED, held, by, {})
    return held


def refused(training_set: TrainingSet) -> Refused:
    """The members that are in the set and may not train now, with the reason."""
    found: Refused = defaultdict(dict)
    for some in _included(training_set):
        chunks = {member.pk: (chunk, member.key) for chunk, member in some}
        for pk, why in asking.refused([member for _, member in some], clock.now()).items():
            chunk, key = chunks[pk]
            found[chunk][pk] = (key, why)
    return found


def take_out(training_set: TrainingSet) -> int:
    """Write the shards anew of which something may not train any more; returns how many conversations went."""
    from chat.training import shards  # the library behind it is large, and most processes write none

    gone = refused(training_set)
    for number, members in gone.items():
        chunk = TrainingChunk.objects.get(training_set=training_set, number=number)
        with shards.Shards(training_set.folder, number, training_set.format) as written:
            shards.without(written, chunk.files, {str(key) for key, _ in members.values()})
        with transaction.atomic():
            for pk, (_, why) in members.items():
                TrainingMember.objects.filter(pk=pk).update(outcome=str(why))
            said = {"files": written.files, "permissions": dict(written.permissions)}
            TrainingChunk.objects.filter(pk=chunk.pk).update(**said)
    return sum(map(len, gone.values()))


@transaction.atomic
def _close(training_set: TrainingSet, by: "User | None") -> None:
    held = TrainingSet.objects.select_for_update().get(pk=training_set.pk)
    _require_built(held)
    members = TrainingMember.objects.filter(training_set=held, outcome=INCLUDED)
    permission.hold_still(Conversation, Conversation.objects.filter(pk__in=members.values("conversation")))
    take_out(held)
    held.state, held.sealed_at = TrainingSet.State.SEALED, clock.now()
    held.manifest = manifest.text_of(held)
    held.manifest_hash = manifest.hash_of(held.manifest)
    held.save(update_fields=["state", "sealed_at", "manifest", "manifest_hash"])
    _tell(Act.TRAINING_SET_SEALED, held, by, {"conversations": members.count()})


def _tell(act: Act, held: TrainingSet, by: "User | None", more: dict[str, int]) -> None:
    source = Source.ADMIN if by else Source.OPERATOR
    detail = {"set": str(held.public_id), "manifest": held.manifest_hash, "filter": held.filter, **more}
    ledger.record(act, source=source, actor=by, detail=detail)


def _require_built(training_set: TrainingSet) -> None:
    if training_set.state != TrainingSet.State.BUILT or not training_set.filter:
        raise NotToBeSealed


def _put_in_order(training_set: TrainingSet) -> TrainingSet:
    """The folder as the database has it, whatever ended between the commit and here."""
    manifest.write(training_set, training_set.manifest)
    manifest.tidy(training_set)
    return training_set


def _files(training_set: TrainingSet) -> list[dict[str, object]]:
    chunks = TrainingChunk.objects.filter(training_set=training_set).order_by("number")
    return [file for files in chunks.values_list("files", flat=True) for file in files]


def _included(training_set: TrainingSet) -> Iterator[Sequence[tuple[int, Member]]]:
    """The members that are in the set, each after the number of its chunk, a page at a time."""
    members = TrainingMember.objects.filter(training_set=training_set, outcome=INCLUDED, dropped_at__isnull=True)
    last = 0
    rows = members.order_by("pk").values_list("chunk", "pk", "conversation_id", "message_id", "key")
    while some := [(row[0], Member(*row[1:])) for row in rows.filter(pk__gt=last)[:AT_ONCE]]:
        yield some
        last = some[-1][1].pk
