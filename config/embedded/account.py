"""Which system account runs PostgreSQL, which refuses to run as root.

An ordinary person runs it as themselves. Where `up` is started by root (a container, a CI machine) it runs as
`nobody`, by `setpriv`, which is part of every Linux system. If `nobody` cannot reach the data or the program
because a folder above is closed to it (`/root`), it is given the one capability to pass through folders,
rather than opening those folders to everybody.
"""

import os
import platform
import pwd
import shutil
from collections.abc import Iterable
from pathlib import Path

from config.embedded.trouble import Trouble

AS_ORDINARY_PERSON = "PostgreSQL does not run as root: start `up` as an ordinary user"
# The bits of two Linux capabilities in /proc/self/status.
DAC_OVERRIDE, DAC_READ_SEARCH = 1, 2


def needs_other_account() -> bool:
    return os.geteuid() == 0


def prefix(paths: Iterable[Path]) -> list[str]:
    """The words to put before a command that must not run as root and has to reach `paths`."""
    if not needs_other_account():
        return []
    setpriv = shutil.which("setpriv")
    if platform.system() != "Linux" or not setpriv:
        raise Trouble(f"{AS_ORDINARY_PERSON}.")
    nobody = _nobody()
    command = [setpriv, f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    if not all(_open_to_others(path) for path in paths):
        capability = _passing_capability()
        command += [f"--inh-caps=-all,+{capability}", f"--ambient-caps=-all,+{capability}"]
    return [*command, "--"]


def give(path: Path) -> None:
    """Make `path` belong to the account that runs PostgreSQL."""
    if needs_other_account():
        nobody = _nobody()
        os.chown(path, nobody.pw_uid, nobody.pw_gid)


def _nobody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise Trouble(f"{AS_ORDINARY_PERSON} (this system has no account `nobody` to run it as).") from None


def _open_to_others(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


def _passing_capability() -> str:
    status = Path("/proc/self/status").read_text()
    effective = next((int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff")), 0)
    for bit, name in ((DAC_READ_SEARCH, "dac_read_search"), (DAC_OVERRIDE, "dac_override")):
        if effective >> bit & 1:
            return name
    raise Trouble(f"{AS_ORDINARY_PERSON}, or use a --data-dir and a clone that the account `nobody` can reach.")
