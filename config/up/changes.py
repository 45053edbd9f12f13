"""Whether migrations or static files may have changed since they were last brought up to date.

Seen from the outside, without loading Django, which would cost a second at every start. In doubt the answer is yes.
"""

import hashlib
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from config.environment import BASE_DIR

WATCHED = ("*/migrations/*.py", "*/static/**/*", "config/settings.py", "config/environment.py")


def fingerprint() -> str:
    """Changes when a migration, a static file, the settings or an installed package does."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(_watched_files()):
        state = path.stat()
        digest.update(f"{path} {state.st_size} {state.st_mtime_ns}\n".encode())
    for package in sorted(Path(sysconfig.get_path("purelib")).glob("*.dist-info")):
        digest.update(package.name.encode())
    return digest.hexdigest()


def seen(record: Path) -> bool:
    """Whether the fingerprint that `record` holds is today's."""
    return record.exists() and record.read_text() == fingerprint()


def remember(record: Path) -> None:
    record.write_text(fingerprint())


def _watched_files() -> Iterator[Path]:
    for pattern in WATCHED:
        yield from (path for path in BASE_DIR.glob(pattern) if path.is_file())
