"""Whether the embedded database was put back to an earlier state, asked without Django (privacy/guard/watch.py asks it
of every connection). Preparing it lets it know what it missed.
"""

import json
import os
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit
from uuid import UUID

from config.embedded.postgres import program

ASK = "SELECT count(*) FROM privacy_guardentry WHERE key = '{key}'"
TIME_OUT, TAIL = 10.0, 8 * 1024


def is_older(guard: str, url: str) -> bool:
    """Whether the last line of the log (`GUARD_LOG`) is one that the database at `url` does not know, or cannot say.

    What lies in an object storage is asked for while the database is prepared.
    """
    log = Path(guard)
    if "://" in guard:
        return True
    if not log.exists():
        return False
    parts = urlsplit(url)
    password, bare = (
        unquote(parts.password or ""),
        parts._replace(netloc=parts.netloc.replace(f":{parts.password}", "")),
    )
    try:
        key = UUID(json.loads(_last_line(log))["key"])
        asked = [str(program("psql")), "--no-psqlrc", "-At", "-c", ASK.format(key=key), urlunsplit(bare)]
        said = subprocess.run(  # noqa: S603 — our own program
            asked,
            env={"PGPASSWORD": password},  # where no list of processes shows it
            capture_output=True,
            text=True,
            timeout=TIME_OUT,
            check=True,
        )
    except (ValueError, KeyError, subprocess.SubprocessError):
        return True
    return bool(said.stdout.strip() != "1")


def _last_line(log: Path) -> bytes:
    """As it stands, torn or whole; a torn one is no JSON."""
    with log.open("rb") as file:
        size, back = file.seek(0, os.SEEK_END), TAIL
        while True:
            file.seek(max(0, size - back))
            *before, last = file.read().rstrip(b"\n").split(b"\n")
            if before or back >= size:
                return last
            back *= 8
