"""Children that do not outlive the process that started them, even when that is killed outright.

Linux can send a process a signal at its parent's death; `setpriv`, part of every Linux system, asks for it. Where
there is none, what is left over is found and ended at the next start (config/up/leftovers.py).
"""

import shutil
from collections.abc import Sequence
from signal import Signals


def tethered(command: Sequence[str], signal: Signals) -> list[str]:
    """`command`, to be sent `signal` when its parent dies."""
    setpriv = shutil.which("setpriv")
    if not setpriv:
        return list(command)
    request = f"--pdeathsig={signal.name}"
    if command[0] == setpriv:  # a change of account, which would undo an earlier request
        return [setpriv, request, *command[1:]]
    return [setpriv, request, "--", *command]
