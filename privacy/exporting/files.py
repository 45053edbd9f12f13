"""Where the files are: one to be fetched under its key, and two of each attempt while it is being made."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

from privacy.exporting.archive import Mark

STORE = "exports"  # as the outbox calls it
PIECE = 1024 * 1024
ALIKE = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?:zip|\d+\.part|\d+\.list)")


class Missing(Exception):
    """What was whole is not there any more."""


def path_of(key: UUID) -> Path:
    return _folder() / f"{key}.zip"


def parts_of(key: UUID, attempt: int) -> tuple[Path, Path]:
    """The members and the directory, while they are made."""
    return _folder() / f"{key}.{attempt}.part", _folder() / f"{key}.{attempt}.list"


def begin(key: UUID, attempt: int) -> None:
    """Two empty files, and none of earlier attempts."""
    forget([str(key)])
    for path in parts_of(key, attempt):
        _create(path).close()


def take_over(key: UUID, attempt: int, mark: Mark, *, handed_back: bool) -> None:
    """What earlier attempts left that is whole, under the names of this one. Raises Missing.

    Of a worker that was only silent it is copied: should it wake, it writes where nobody reads.
    """
    earlier = _latest(key, attempt)
    for old, new, size in zip(earlier, parts_of(key, attempt), (mark.offset, mark.directory), strict=True):
        if old.stat().st_size < size:
            raise Missing
        if handed_back:
            old.replace(new)
        else:
            _copy(old, new, size)
    for path in _of(str(key)):
        if path not in parts_of(key, attempt):
            path.unlink(missing_ok=True)


def publish(key: UUID, attempt: int) -> None:
    """The finished file under the name by which it is fetched."""
    parts_of(key, attempt)[0].replace(path_of(key))


def drop_directory(key: UUID, attempt: int) -> None:
    parts_of(key, attempt)[1].unlink(missing_ok=True)


def drop_attempt(key: UUID, attempt: int) -> None:
    for path in parts_of(key, attempt):
        path.unlink(missing_ok=True)


def forget(keys: Sequence[str]) -> None:
    """Every file of these keys goes. Raises OSError where one cannot."""
    for key in keys:
        for path in _of(key):
            path.unlink(missing_ok=True)


def all_keys() -> Iterator[str]:
    """The keys that there are files of."""
    with suppress(FileNotFoundError):
        yield from {found[1] for path in _folder().iterdir() if (found := ALIKE.fullmatch(path.name))}


def hash_of(path: Path, each: Callable[[], None]) -> str:
    """SHA-256, in hexadecimal; `each` is called for every piece."""
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            hashed.update(piece)
            each()
    return hashed.hexdigest()


def _folder() -> Path:
    return Path(settings.EXPORTS_DIR)


def _of(key: str) -> Iterable[Path]:
    return [path for path in _folder().glob(f"{key}.*") if ALIKE.fullmatch(path.name)]


def _latest(key: UUID, attempt: int) -> tuple[Path, Path]:
    """The files of the last attempt before this one. Of one that died while it published the first is the ZIP."""
    for number in range(attempt - 1, 0, -1):
        members, directory = parts_of(key, number)
        members = members if members.exists() else path_of(key)
        if directory.exists() and members.exists():
            return members, directory
    raise Missing


def _copy(old: Path, new: Path, size: int) -> None:
    with old.open("rb") as source, _create(new) as target:
        while size and (some := source.read(min(PIECE, size))):
            target.write(some)
            size -= len(some)


def _create(path: Path) -> BinaryIO:
    """A new file that nobody else on the machine reads, in a folder like that."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb")
