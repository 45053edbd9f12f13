"""One `up` for one data folder: an advisory lock that the operating system drops when its holder dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded.trouble import Trouble


@contextmanager
def held(run: Path) -> Iterator[None]:
    """Hold the lock of the folder `run`, or say who does."""
    path = run / "up.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Trouble(
                f"Parley is already running on {run.parent}: stop that one (Ctrl-C there), "
                "or give this one another --data-dir and --port."
            ) from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
