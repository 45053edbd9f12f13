"""Ending processes that are no children of this one."""

import signal
import time
from collections.abc import Sequence
from contextlib import suppress

import psutil


def end(processes: Sequence[tuple[psutil.Process, int]], within: float) -> None:
    """Send each its signal, and kill those that still run after `within` seconds."""
    for process, number in processes:
        send(process, number)
    for process in after(within, [process for process, _ in processes]):
        send(process, signal.SIGKILL)
    after(within, [process for process, _ in processes])


def after(seconds: float, processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Wait for these to end, so long, and return those that have not."""
    deadline = time.monotonic() + seconds
    while (left := [process for process in processes if runs(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def runs(process: psutil.Process) -> bool:
    """Whether it still does anything: one that is dead and unburied (there may be no init to do it) does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def send(process: psutil.Process, number: int) -> None:
    with suppress(psutil.Error):
        process.send_signal(number)
