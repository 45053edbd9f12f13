"""What an `up` that was killed has left running, found by the list it kept and ended before the next start."""

import json
import os
import signal
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from config.embedded import processes

WAITS = 6.0
FORGIVEN = 1.0  # seconds; start times are read from the same clock, but rounded


@dataclass(frozen=True)
class Recorded:
    """A process that was started: its number alone may by now belong to somebody else."""

    name: str
    pid: int
    started: float
    signal: int


def write(run: Path, children: list[Recorded]) -> None:
    """Write down what runs, in one piece."""
    draft = run / "processes.json.new"
    draft.write_text(json.dumps([asdict(child) for child in children]))
    draft.replace(run / "processes.json")


def end(run: Path) -> int:
    """End what the last `up` on this folder left, and say how many processes that were."""
    found = [(process, child.signal) for child in _read(run) for process in _still_there(child, run.parent)]
    processes.end(found, WAITS)
    (run / "processes.json").unlink(missing_ok=True)
    return len(found)


def end_session(pid: int) -> None:
    """End at once what a child that died has left of its own (a worker's pool)."""
    for process in _session(pid):
        processes.send(process, signal.SIGKILL)


def _read(run: Path) -> list[Recorded]:
    try:
        return [Recorded(**child) for child in json.loads((run / "processes.json").read_text())]
    except (OSError, ValueError, TypeError):
        return []


def _still_there(child: Recorded, data: Path) -> list[psutil.Process]:
    """The child and what it started in its session, if they are still the ones that were recorded."""
    try:
        process = psutil.Process(child.pid)
    except psutil.NoSuchProcess:
        return [member for member in _session(child.pid) if _serves(member, data)]
    if abs(process.create_time() - child.started) > FORGIVEN:
        return []
    others = [member for member in _session(child.pid) if member.pid != child.pid]
    return [process, *others] if processes.runs(process) else others


def _session(pid: int) -> list[psutil.Process]:
    members = []
    for process in psutil.process_iter():
        try:
            if process.pid > 1 and os.getsid(process.pid) == pid and processes.runs(process):
                members.append(process)
        except OSError:
            continue
    return members


def _serves(process: psutil.Process, data: Path) -> bool:
    try:
        return process.environ().get("PARLEY_DATA_DIR") == str(data)
    except psutil.Error:
        return False
