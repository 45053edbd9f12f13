"""Where an engine's socket and files lie, within the lengths and the rights that operating systems allow."""

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from config.embedded.trouble import Trouble

# Linux allows 107 bytes for a socket's path, macOS 103; the longest name used is PostgreSQL's, with its lock.
SOCKET_PATH_LIMIT = 103 - len("/postgres/.s.PGSQL.5432.lock")


def socket_folder(data: Path, engine: str) -> Path:
    """The folder for `engine`'s socket: in the data folder, or in a private one when that lies too deep."""
    folder = data / "run"
    if len(os.fsencode(folder)) > SOCKET_PATH_LIMIT:
        folder = _short_folder(data)
    return folder / engine


def make_socket_folder(folder: Path) -> None:
    """Make the folder of a socket, and refuse one that somebody else has put there."""
    for level in (folder.parent, folder):
        level.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.parent.lstat()
    if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid():
        raise Trouble(f"{folder.parent} belongs to somebody else: remove it, or use a shorter --data-dir.")


def remove_sockets(data: Path) -> None:
    """Remove the sockets and their folders, once no engine runs."""
    for engine in ("postgres", "valkey"):
        folder = socket_folder(data, engine)
        if folder.is_dir():
            for left in folder.iterdir():
                left.unlink(missing_ok=True)
            folder.rmdir()
        if folder.parent == _short_folder(data):
            _remove_empty(folder.parent)


def _short_folder(data: Path) -> Path:
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    # Not TMPDIR, which may be as deep as the data folder.
    base = Path("/tmp") if Path("/tmp").is_dir() else Path(tempfile.gettempdir())  # noqa: S108
    return base / f"parley-{os.geteuid()}-{name}"


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
