"""Building a set chunk by chunk: whoever is free takes the next one, in this process or as a task of any worker.

A chunk is taken by a conditional UPDATE, its files are written beside the others, and one transaction says what became
of its members and which files are its own. A worker that dies leaves files that nothing names; its chunk is taken anew.
"""

from collections import defaultdict
from collections.abc import Callable

from django.db import transaction

from accounts import clock
from chat.models import TrainingChunk, TrainingMember, TrainingSet
from chat.training import asking, building, files, manifest, reading, shards
from chat.training.outcomes import INCLUDED
from chat.training.shards import Row
from privacy import truth


def never() -> bool:
    return False


def work(training_set: TrainingSet, stopping: Callable[[], bool] = never) -> bool:
    """Fill chunk after chunk until none is left to take; says whether the set is built."""
    while not stopping() and fill_next(training_set):
        pass
    return finish(training_set)


def fill_next(training_set: TrainingSet) -> bool:
    """Take one chunk and fill it; False if there was none to take."""
    chunk = _take(training_set)
    if chunk is None:
        return False
    fill(training_set, chunk)
    return True


def _take(training_set: TrainingSet) -> TrainingChunk | None:
    while True:
        now = clock.now()
        free = TrainingChunk.objects.free(now - building.SILENCE).filter(training_set=training_set)
        chunk = free.order_by("number").first()
        if chunk is None:
            return None
        if free.filter(pk=chunk.pk).update(taken_at=now):
            chunk.taken_at = now
            return chunk


def fill(training_set: TrainingSet, chunk: TrainingChunk) -> None:
    """Read, filter and write the members of one chunk, and note what became of each."""
    became: dict[str, list[int]] = defaultdict(list)
    with shards.Shards(training_set.folder, chunk.number, training_set.format) as written:
        rows: list[Row] = []
        for member, result in reading.read(training_set, _members(chunk)):
            if isinstance(result, Row):
                rows.append(result)
                became[INCLUDED].append(member.pk)
            else:
                became[str(result)].append(member.pk)
            if len(rows) == reading.AT_ONCE:
                written.write(rows)
                rows = []
                _still_here(chunk)
        written.write(rows)
    if not _note(chunk, written, became):
        files.remove(training_set.folder, written.files)


def _still_here(chunk: TrainingChunk) -> None:
    """Say now and then that it is in hand, unless somebody else has taken it, who is then left to it (`_note`)."""
    now = clock.now()
    if chunk.taken_at and now - chunk.taken_at < building.SILENCE / 10:
        return
    if TrainingChunk.objects.filter(pk=chunk.pk, taken_at=chunk.taken_at).update(taken_at=now):
        chunk.taken_at = now


@transaction.atomic
def _note(chunk: TrainingChunk, written: shards.Shards, became: dict[str, list[int]]) -> bool:
    """False if somebody else has filled this chunk meanwhile, or the set is gone."""
    mine = TrainingChunk.objects.filter(pk=chunk.pk, done_at__isnull=True, taken_at=chunk.taken_at)
    said = {"files": written.files, "permissions": dict(written.permissions)}
    if not mine.update(done_at=clock.now(), **said):
        return False
    for outcome, members in became.items():
        truth.of(TrainingMember, members).update(outcome=outcome)
    return True


def _members(chunk: TrainingChunk) -> list[asking.Member]:
    rows = TrainingMember.objects.filter(training_set=chunk.training_set_id, chunk=chunk.number)
    columns = ("pk", "conversation_id", "message_id", "key")
    return [asking.Member(*one) for one in rows.order_by("pk").values_list(*columns)]


def finish(training_set: TrainingSet) -> bool:
    """Once every chunk is done the set is built, and its manifest says so. Twice is once."""
    if TrainingChunk.objects.filter(training_set=training_set, done_at__isnull=True).exists():
        return False
    unfinished = TrainingSet.objects.unfinished().filter(pk=training_set.pk)
    if unfinished.update(state=TrainingSet.State.BUILT, built_at=clock.now()):
        training_set.refresh_from_db()
        manifest.write(training_set, manifest.text_of(training_set))
    return True
