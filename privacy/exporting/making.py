"""Making a file in slices: whoever has the lease goes on behind what is whole, says so every few seconds, and hands it
back when the slice is over, so that a background worker's few processes are never taken up by it.

What the row says is whole is on the disk before the row says it. A worker that loses the lease, or whose person is
gone, hears of it at its next word and leaves nothing behind.
"""

import errno
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation

from accounts import clock
from privacy import letters
from privacy.exporting import contents, files
from privacy.exporting.archive import Archive, Mark
from privacy.models import Export, Letter

SLICE = 20.0  # seconds
WORD = 2.0  # seconds between two words of how far it is
LEASE = timedelta(minutes=1)  # a worker of whom nothing is heard for so long has lost it
PAUSE = timedelta(minutes=1)  # after something went wrong
TRIES = 5  # without coming further
QUICK = timedelta(minutes=1)  # whoever waits no longer than this is still on the page, and gets no e-mail

logger = logging.getLogger(__name__)


class Lost(Exception):
    """Somebody else has it in hand, or nobody wants it any more."""


class Paused(Exception):
    """The slice is over, or the worker is told to stop."""


def never() -> bool:
    return False


def work(pk: int, stopping: Callable[[], bool] = never, within: float = SLICE) -> bool:
    """Go on with a file for a while; False if it was not to be had. May run twice at once."""
    export = _take(pk)
    if export is None:
        return False
    user = export.user
    with translation.override(user.locale), timezone.override(letters.zone(user.time_zone)):
        try:
            _go_on(export, stopping, within)
        except Lost:
            files.drop_attempt(export.public_id, export.attempt)
        except Exception as error:  # whatever it is: what is whole stays, and the next one tries again
            logger.error("A file of somebody's data is tried again: %s", type(error).__name__)
            full = isinstance(error, OSError) and error.errno == errno.ENOSPC
            failure = Export.Failure.NO_ROOM if full else Export.Failure.BROKEN
            _mine(export).update(failure=failure, held_until=None, queued_at=clock.now() + PAUSE)
    return True


def _take(pk: int) -> Export | None:
    """The lease, if it is free and so is a lane. What failed too often has failed."""
    now = clock.now()
    export = Export.objects.free(now).select_related("user").filter(pk=pk).first()
    if export is None or Export.objects.in_hand(now).count() >= max(settings.EXPORT_LANES, 1):
        return None
    free = Export.objects.free(now).filter(pk=pk, attempt=export.attempt, held_until=export.held_until)
    if export.tries >= TRIES:
        failed = {"state": Export.State.FAILED, "failure": export.failure or Export.Failure.BROKEN}
        if free.update(**failed, held_until=None, attempt=F("attempt") + 1):
            files.forget([str(export.public_id)])
        return None
    if not free.update(attempt=F("attempt") + 1, tries=F("tries") + 1, held_until=now + LEASE):
        return None
    export.attempt += 1
    return export


def _mine(export: Export) -> Any:
    return Export.objects.being_made().filter(pk=export.pk, attempt=export.attempt)


def _go_on(export: Export, stopping: Callable[[], bool], within: float) -> None:
    archive = _opened(export)
    try:
        Making(export, archive, stopping, within).run()
    except Paused:
        pass
    finally:
        archive.close()


def _opened(export: Export) -> Archive:
    """Behind what is whole; from the beginning where that is nothing, or is gone."""
    key, mark = export.public_id, Mark(export.offset, export.directory, export.members)
    try:
        if not mark.members:
            raise files.Missing
        files.take_over(key, export.attempt, mark, handed_back=export.held_until is None)
    except files.Missing:
        mark, export.reached, export.done, export.total = Mark(), {}, 0, contents.size(export.user)
        files.begin(key, export.attempt)
    return Archive(*files.parts_of(key, export.attempt), mark, timezone.localtime(export.asked_at))


class Making:
    """One slice of one file. `mark` and `reached` are of the last unit that is whole."""

    def __init__(self, export: Export, archive: Archive, stopping: Callable[[], bool], within: float) -> None:
        self.export, self.archive, self.stopping = export, archive, stopping
        self.mark, self.reached, self.done = archive.mark, dict(export.reached), export.done
        self.within_unit = 0
        self.until = time.monotonic() + within
        self.word_at, self.said = 0.0, archive.mark

    def run(self) -> None:
        """To the end, or until Paused or Lost is raised."""
        self._word()
        user = self.export.user
        while True:
            for unit in contents.units(user, self.reached, self.archive, self._row_read):
                self._put(unit)
            gone = contents.first_gone(user, self.archive)
            if gone is None:
                break
            self._go_back(gone)
        self._word()
        self._finish()

    def _put(self, unit: contents.Unit) -> None:
        for sheet in unit.sheets:
            self.archive.add(sheet.name, self._heard(sheet.pieces), about=unit.about)
        self.mark, self.reached[unit.step] = self.archive.mark, unit.key
        self.done += unit.weight
        self.within_unit = 0
        if self.stopping() or time.monotonic() > self.until:
            self._word(held_until=None)
            raise Paused

    def _heard(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if time.monotonic() - self.word_at > WORD:
                self._word()
                if self.stopping():  # in the middle of a member, which is begun anew
                    self._word(held_until=None, tries=0)
                    raise Paused
            yield piece

    def _row_read(self) -> None:
        self.within_unit += 1

    def _word(self, **more: Any) -> None:
        """What is whole is on the disk, and the row says so. Raises Lost."""
        self.archive.sync()  # in the middle of a member, too: else a long one has all of it to be synced at its end
        if self.mark != self.said:
            more = {"tries": 0, "failure": "", **more}
        how_far = {
            "offset": self.mark.offset,
            "directory": self.mark.directory,
            "members": self.mark.members,
            "reached": self.reached,
            "done": min(self.done + self.within_unit, self.export.total),
            "total": self.export.total,
        }
        if not _mine(self.export).update(**{"held_until": clock.now() + LEASE, **how_far, **more}):
            raise Lost
        self.word_at, self.said = time.monotonic(), self.mark

    def _go_back(self, gone: contents.Gone) -> None:
        """To before the first that nobody sees any more. The row says so first: what it calls whole must be there."""
        self.mark, self.reached, self.done = gone.before, dict(gone.reached), gone.done
        self._word()
        self.archive.cut(self.mark)

    def _finish(self) -> None:
        key, attempt = self.export.public_id, self.export.attempt
        size = self.archive.finish()
        hashed = files.hash_of(files.parts_of(key, attempt)[0], self._still)
        now = clock.now()
        with transaction.atomic():
            known = {"made_at": now, "expires_at": now + timedelta(days=settings.EXPORT_DAYS)}
            said = {"bytes": size, "sha256": hashed, "done": self.export.total, "held_until": None, "failure": ""}
            if not _mine(self.export).update(state=Export.State.READY, **known, **said):
                raise Lost
            files.publish(key, attempt)
            if now - self.export.asked_at > QUICK:
                letters.write(self.export.user, Letter.What.READY, about=key)
        files.drop_directory(key, attempt)

    def _still(self) -> None:
        if time.monotonic() - self.word_at > WORD:
            self._word()
