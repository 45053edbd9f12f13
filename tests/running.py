"""The whole product in processes of its own, for tests that meet it as people do."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from config.environment import BASE_DIR

# What the test run itself is pointed at must not reach the product that is started here.
NOT_HANDED_ON = (
    *(
        "DATABASE_URL",
        "DATABASE_OWNER_URL",
        "REDIS_URL",
        "MODEL_URL",
        "MODEL_PROVIDER",
        "PARLEY_DATA_DIR",
        "SECRET_KEY",
    ),
    *("CLOCK_FILE", "EMAIL_URL", "PYTHONDONTWRITEBYTECODE"),
)


def environment() -> dict[str, str]:
    """The environment of a person at a shell, rather than that of the test run."""
    return {name: value for name, value in os.environ.items() if name not in NOT_HANDED_ON}


def slack() -> float:
    """How much longer things may take because other tests run at the same time."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Up:
    """One `manage.py up`, run in a process of its own."""

    def __init__(self, data: Path, output: Path, *options: str, port: int | None = None, **variables: str) -> None:
        self.data, self.variables = data, variables
        self.port = port or free_port()
        self.output = output
        command = [sys.executable, "manage.py", "up", f"--data-dir={data}", f"--port={self.port}", *options]
        with output.open("w") as file:
            self.process = subprocess.Popen(
                command,
                cwd=BASE_DIR,
                env=environment() | variables,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def manage(self, *arguments: str, **variables: str) -> str:
        """`manage.py` in a second shell; returns what it said."""
        return self.run("manage.py", *arguments, within=60, **variables)

    def run(self, *arguments: str, within: float = 60, **variables: str) -> str:
        """Python in a second shell, on the same data and clock, for so many seconds at most."""
        said = subprocess.run(
            [sys.executable, *arguments],
            cwd=BASE_DIR,
            env=environment() | {"PARLEY_DATA_DIR": str(self.data)} | self.variables | variables,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
        assert said.returncode == 0, said.stderr
        return said.stdout

    @property
    def said(self) -> str:
        return self.output.read_text()

    def ready(self) -> float:
        """Wait until it says that it is ready, and return how long it says that took."""
        wait_for(lambda: "is ready at" in self.said or self.process.poll() is not None, 60)
        found = re.search(r"is ready at http://127\.0\.0\.1:\d+/ \(([\d.]+) s\)", self.said)
        assert found, self.said
        return float(found[1])

    def refusal(self) -> str:
        """Wait until it gives up, and return the one line that it says."""
        code = self.process.wait(60)
        lines = [line for line in self.said.splitlines() if line.startswith("Error: ")]
        assert code == 1 and len(lines) == 1 and "Traceback" not in self.said, self.said
        return lines[0]

    def recorded(self) -> dict[str, int]:
        """The number of each child."""
        return {child["name"]: child["pid"] for child in json.loads((self.data / "run/processes.json").read_text())}

    def family(self) -> list[psutil.Process]:
        return [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]

    def health(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as refusal:
            return dict(json.load(refusal))
        except OSError:
            return {"ready": False}

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Stop it as a person does, and return how long that took."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(30)
        return time.monotonic() - began


def wait_for(condition: Callable[[], bool], seconds: float, seen: Callable[[], object] = lambda: "") -> None:
    """Until it holds; a failure says what there was to be `seen` instead."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not come to pass in time {seen()}".rstrip()
        time.sleep(0.05)


def clock_and_pool(worker: psutil.Process) -> list[psutil.Process]:
    """The processes of a background worker: its clock first, which has closed all files but its own."""
    alive = [one for one in worker.children() if one.status() != psutil.STATUS_ZOMBIE]
    return sorted(alive, key=lambda one: one.num_fds())


def gone(family: list[psutil.Process]) -> bool:
    """Whether none of these runs (a zombie, which waits for its new parent, runs no more)."""
    return not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
