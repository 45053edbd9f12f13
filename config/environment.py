"""Where Parley's configuration comes from: the process environment, then what `up` wrote down.

`up` starts the engines that the environment does not name and writes their addresses to
`<data dir>/run/environment.json` (0600), so that a second shell (`manage.py createsuperuser`)
finds the same engines. A variable of the process environment always wins. The address of the role that owns
the tables stands in a file of its own, `run/owner.json`, which only `manage.py migrate` reads.
"""

import json
import os
import secrets
import sys
import tempfile
from pathlib import Path

from environs import Env

BASE_DIR = Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    """The folder for data, logs, mail and generated secrets (`--data-dir`, `PARLEY_DATA_DIR`, else `var/`)."""
    for index, argument in enumerate(sys.argv):
        if argument == "--data-dir" and index + 1 < len(sys.argv):
            return Path(sys.argv[index + 1]).resolve()
        if argument.startswith("--data-dir="):
            return Path(argument.removeprefix("--data-dir=")).resolve()
    return Path(os.environ.get("PARLEY_DATA_DIR") or BASE_DIR / "var").resolve()


def load(folder: Path) -> Env:
    """The environment, completed by the addresses that a running `up` wrote into `folder`."""
    # The owner of the embedded database owns nothing elsewhere.
    if migrating() and "DATABASE_URL" not in os.environ:
        _complete(folder / "run" / "owner.json")
    _complete(folder / "run" / "environment.json")
    return Env()


def migrating() -> bool:
    """Whether this process is `manage.py migrate`, which works as the role that owns the tables."""
    return Path(sys.argv[0]).name in {"manage.py", "django-admin"} and sys.argv[1:2] == ["migrate"]


def _complete(written: Path) -> None:
    if written.exists():
        for name, value in json.loads(written.read_text()).items():
            os.environ.setdefault(name, value)


def generated_secret(folder: Path, name: str) -> str:
    """The secret `name` of this installation, made on first use and readable by its owner only."""
    path = folder / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _publish(path, secrets.token_urlsafe(48))
    return path.read_text().strip()


def _publish(path: Path, value: str) -> None:
    """Write `value` to a private file that appears whole and is never replaced: several processes may start at once."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(value)
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
