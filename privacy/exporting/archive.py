"""A ZIP that is written once from front to back, in little memory, and can be cut back to any earlier whole member.

Its directory, which a ZIP has at its end, grows in a file beside it, so that nothing of it is in memory however many
members there are. ZIP64 throughout: no size is known beforehand. (PKWARE's APPNOTE.TXT 6.3.10, 4.3 and 4.5.3)
"""

import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

VERSION, UTF8, DEFLATED, UNIX = 45, 0x0800, 8, 3 << 8
IN_ZIP64, MANY = 0xFFFFFFFF, 0xFFFF  # where a field is too small: it stands in the ZIP64 field
OWNERS_ONLY = 0o100600 << 16
LEVEL = 4  # of compression; the usual 6 takes twice as long for a twentieth less

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
SIZES, PLACE = struct.Struct("<2H2Q"), struct.Struct("<Q")
END64, LOCATOR, END = struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL"), struct.Struct("<4s4H2LH")


@dataclass(frozen=True)
class Mark:
    """How much of both files is whole: bytes of the members, bytes of the directory, and how many members."""

    offset: int = 0
    directory: int = 0
    members: int = 0


@dataclass(frozen=True)
class Entry:
    """A member; `before` is how far the archive was when it began. `about` is the key of the row that it is of."""

    name: str
    about: str
    before: Mark


class Archive:
    """The archive in both files, which exist, up to `mark`; whatever is behind that is cut off."""

    def __init__(self, path: Path, directory: Path, mark: Mark, at: datetime) -> None:
        self._file, self._directory = path.open("r+b"), directory.open("r+b")
        self._stamp = _stamp(at)
        self.cut(mark)

    @property
    def mark(self) -> Mark:
        return self._mark

    def cut(self, mark: Mark) -> None:
        """Go back to where the archive was."""
        for file, size in ((self._file, mark.offset), (self._directory, mark.directory)):
            file.seek(size)
            file.truncate()
        self._mark = mark

    def add(self, name: str, pieces: Iterable[bytes], *, about: str = "") -> None:
        """One more member. If `pieces` raises, `cut` takes off what was written of it."""
        called, start = name.encode(), self._mark.offset
        self._file.write(self._local(called, 0, 0, 0))
        pressed, crc, size = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS), 0, 0
        for piece in pieces:
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            self._file.write(pressed.compress(piece))
        self._file.write(pressed.flush())
        end = self._file.tell()
        within = end - start - LOCAL.size - len(called) - SIZES.size
        self._file.seek(start)
        self._file.write(self._local(called, crc, within, size))
        self._file.seek(end)
        entry = self._central(called, about.encode(), crc, within, size, start)
        self._directory.write(entry)
        self._mark = Mark(end, self._mark.directory + len(entry), self._mark.members + 1)

    def entries(self) -> Iterator[Entry]:
        """Every member, in their order."""
        self._directory.flush()
        at, members = 0, 0
        with Path(self._directory.name).open("rb") as file:
            while at < self._mark.directory:
                head = CENTRAL.unpack(file.read(CENTRAL.size))
                name, extra, about = (file.read(length) for length in head[10:13])
                offset = head[16] if head[16] < IN_ZIP64 else PLACE.unpack(extra[SIZES.size :])[0]
                yield Entry(name.decode(), about.decode(), Mark(offset, at, members))
                at, members = file.tell(), members + 1

    def sync(self) -> None:
        """What is written is on the disk, before anybody says so."""
        for file in (self._directory, self._file):
            file.flush()
            os.fsync(file.fileno())

    def finish(self) -> int:
        """Append the directory, which makes a ZIP of it; returns its size. `cut` takes that off again."""
        offset, size, members = self._mark.offset, self._mark.directory, self._mark.members
        self._directory.flush()
        with Path(self._directory.name).open("rb") as file:
            while some := file.read(1024 * 1024):
                self._file.write(some)
        self._file.write(END64.pack(b"PK\6\6", END64.size - 12, VERSION, VERSION, 0, 0, members, members, size, offset))
        self._file.write(LOCATOR.pack(b"PK\6\7", 0, offset + size, 1))
        self._file.write(END.pack(b"PK\5\6", 0, 0, MANY, MANY, IN_ZIP64, IN_ZIP64, 0))
        self.sync()
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        self._directory.close()

    def _local(self, name: bytes, crc: int, within: int, size: int) -> bytes:
        fields = (VERSION, UTF8, DEFLATED, *self._stamp, crc, IN_ZIP64, IN_ZIP64, len(name), SIZES.size)
        return LOCAL.pack(b"PK\3\4", *fields) + name + SIZES.pack(1, 16, size, within)

    def _central(self, name: bytes, about: bytes, crc: int, within: int, size: int, start: int) -> bytes:
        place = b"" if start < IN_ZIP64 else PLACE.pack(start)
        extra = SIZES.pack(1, 16 + len(place), size, within) + place
        sizes = (crc, IN_ZIP64, IN_ZIP64, len(name), len(extra), len(about))
        places = (0, 0, OWNERS_ONLY, min(start, IN_ZIP64))
        head = (UNIX | VERSION, VERSION, UTF8, DEFLATED, *self._stamp, *sizes, *places)
        return CENTRAL.pack(b"PK\1\2", *head) + name + extra + about


def _stamp(at: datetime) -> tuple[int, int]:
    """A moment as MS-DOS has it: time, date."""
    return at.hour << 11 | at.minute << 5 | at.second // 2, max(at.year - 1980, 0) << 9 | at.month << 5 | at.day
