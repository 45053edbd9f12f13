"""Private files with secrets (0600, in `secrets/` of the data folder), replaced without a moment in which one is lost.

The current secret stands in `<name>`, one that is being introduced in `<name>.next`, earlier ones in `<name>.<id>`.
"""

import os
from pathlib import Path

from django.conf import settings


def folder() -> Path:
    return Path(settings.DATA_DIR) / "secrets"


def current(name: str) -> str:
    """The secret in use, or an empty string."""
    return _read(folder() / name)


def following(name: str) -> str:
    """The secret that is being introduced, or an empty string."""
    return _read(folder() / f"{name}.next")


def every(name: str) -> list[str]:
    """All secrets of this name: the one in use, the one being introduced, earlier ones."""
    paths = [folder() / name, *sorted(folder().glob(f"{name}.*"))]
    return [path.read_text().strip() for path in paths if path.exists()]


def introduce(name: str, secret: str) -> None:
    """Write the next secret down; it comes into use by `promote`."""
    _write(folder() / f"{name}.next", secret)


def set_aside(name: str, identity: str) -> None:
    """Keep the secret in use under its id as well."""
    _write(folder() / f"{name}.{identity}", current(name))


def promote(name: str) -> None:
    """The next secret takes the place of the one in use."""
    (folder() / f"{name}.next").replace(folder() / name)
    _settle(folder())


def _read(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""


def _write(path: Path, secret: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
        file.flush()
        os.fsync(descriptor)
    _settle(path.parent)


def _settle(directory: Path) -> None:
    """A name is on the disk when its folder is."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
