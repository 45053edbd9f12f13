"""The log of one child: rotated, private, and never a reason for `up` itself to fail."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from circus.stream import FileStream

LOG_BYTES, LOGS_KEPT = 5_000_000, 3


class RotatedLog(FileStream):  # type: ignore[misc]  # circus carries no types
    """One file for all that a child says: of two that write it, one would go on writing what the other put aside.

    On a full disk what it says is lost, and the child goes on.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), max_bytes=LOG_BYTES, backup_count=LOGS_KEPT)

    def __call__(self, data: dict[str, Any]) -> None:
        with suppress(OSError):
            super().__call__(data)

    def _open(self) -> TextIO:
        return open(self._filename, "a+", opener=lambda path, flags: os.open(path, flags, 0o600))
