"""Where the log lies: a file, or objects in a storage to which only ever more are added.

Both give whole lines, from either end, and take more of them. What is torn or strange is the reader's to pass over.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

TAIL = 8 * 1024  # bytes of a file that are read first
LARGEST = 10**18  # a sequence never is


class Place(Protocol):
    def exclusively(self) -> Any: ...  # a context: nobody else appends
    def append(self, lines: bytes, first: int) -> None: ...  # written through; `first` is the first one's sequence
    def newest_first(self) -> Iterator[bytes]: ...
    def oldest_first(self) -> Iterator[bytes]: ...


class File:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def append(self, lines: bytes, first: int) -> None:
        with self.path.open("ab+") as file:
            if size := file.seek(0, os.SEEK_END):
                file.seek(size - 1)
                lines = lines if file.read(1) == b"\n" else b"\n" + lines  # closes what a power failure tore
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def newest_first(self) -> Iterator[bytes]:
        """Whole lines alone; some more than once."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            size, back = file.seek(0, os.SEEK_END), TAIL
            while True:  # a purge of very many is a long line
                file.seek(max(0, size - back))
                *whole, _torn = file.read().split(b"\n")
                yield from reversed(whole if back >= size else whole[1:])
                if back >= size:
                    return
                back *= 8

    def oldest_first(self) -> Iterator[bytes]:
        if self.path.exists():
            with self.path.open("rb") as file:
                yield from file


class Objects:
    """An object for each append, which is never written again. Their names count down, so that a listing begins with
    the newest. `url` is what obstore takes (`s3://bucket/folder`); keys and endpoint come from the environment.
    """

    def __init__(self, url: str) -> None:
        import obstore.store  # only where it is asked for

        self.url, self.storage = url, obstore.store.from_url(url)

    def __str__(self) -> str:
        return self.url

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """The storage itself refuses the second of two (`append`)."""
        yield

    def append(self, lines: bytes, first: int) -> None:
        """Raises obstore's AlreadyExistsError if somebody else was quicker: nothing is overwritten."""
        import obstore

        obstore.put(self.storage, f"{LARGEST - first:018}.jsonl", lines, mode="create")

    def newest_first(self) -> Iterator[bytes]:
        for name in self._names():
            yield from reversed(self._lines(name))

    def oldest_first(self) -> Iterator[bytes]:
        for name in reversed(list(self._names())):
            yield from self._lines(name)

    def _names(self) -> Iterator[str]:
        import obstore

        for page in obstore.list(self.storage):
            yield from sorted(str(one["path"]) for one in page)

    def _lines(self, name: str) -> list[bytes]:
        import obstore

        return bytes(obstore.get(self.storage, name).bytes()).splitlines()
