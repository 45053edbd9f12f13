"""Files of a set, whatever is in them."""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO


def hash_of(path: Path) -> str:
    """SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove(folder: Path, named: Iterable[dict[str, Any]]) -> None:
    for file in named:
        with suppress(FileNotFoundError):
            (folder / file["name"]).unlink()


def create(path: Path) -> BinaryIO:
    """A new file that nobody else on the machine reads."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")
