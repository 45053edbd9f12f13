"""PostgreSQL and Valkey for a test run: those that the environment names, or embedded ones started once per run.

A pytest plugin, loaded before pytest-django by `-p tests.engines`, since settings read the addresses when Django
starts. The process that the developer started (not pytest-xdist's workers, which inherit its environment) starts
the engines in a folder of their own and stops them at the end. By hand: `python -m tests.engines`, or

    with Engines() as engines:
        engines.addresses
"""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Self

import pytest

from config.embedded.postgres import Postgres
from config.embedded.tether import tethered
from config.embedded.valkey import Valkey

STARTS_WITHIN = 30.0
STOPS_WITHIN = 10.0
# Durability costs time and a test's data is thrown away; many workers connect at once.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}


class Engines:
    """The engines as a context manager; `addresses` are the environment variables that name them.

    `extra` are PostgreSQL's settings beside those of `up`: none for a benchmark that is to run under those.
    """

    def __init__(self, *, postgres: bool = True, valkey: bool = True, extra: Mapping[str, str] = FAST) -> None:
        self.data = Path(tempfile.mkdtemp(prefix="parley-test-"))
        (self.data / "static").mkdir()  # WhiteNoise warns where there is none
        # Where root runs the tests, PostgreSQL runs as another account and passes through this folder.
        self.data.chmod(0o711)
        self.engines: list[Postgres | Valkey] = []
        if postgres:
            self.engines.append(Postgres(self.data, extra=dict(extra), for_tests=True))
        if valkey:
            self.engines.append(Valkey(self.data))
        self.processes: list[tuple[Postgres | Valkey, subprocess.Popen[bytes]]] = []

    @property
    def addresses(self) -> dict[str, str]:
        """Those of the owner too: the tests' database is made and emptied as the owner."""
        found = [engine.addresses() for engine in self.engines]
        found += [engine.owner_addresses() for engine in self.engines if isinstance(engine, Postgres)]
        return {name: value for addresses in found for name, value in addresses.items()}

    def start(self) -> None:
        for engine in self.engines:
            engine.initialise()
            log = (self.data / f"{engine.name}.log").open("ab")
            with log:
                process = subprocess.Popen(
                    tethered(engine.command(), engine.stop_signal),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    cwd="/",
                )
            self.processes.append((engine, process))
        for engine, process in self.processes:
            self._wait_until_ready(engine, process)
            engine.prepare()

    def stop(self) -> None:
        for engine, process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(engine.stop_signal)
        for _, process in self.processes:
            try:
                process.wait(STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        self.processes.clear()
        shutil.rmtree(self.data, ignore_errors=True)

    def _wait_until_ready(self, engine: Postgres | Valkey, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while not engine.ready():
            if process.poll() is not None or time.monotonic() > deadline:
                log = (self.data / f"{engine.name}.log").read_text()
                self.stop()
                raise RuntimeError(f"{engine.label} did not start:\n{log}")
            time.sleep(0.02)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """A wrapper, so that it runs before pytest-django sets Django up."""
    asks_only = early_config.known_args_namespace.help or early_config.known_args_namespace.version
    if "PYTEST_XDIST_WORKER" not in os.environ and not asks_only:
        engines = Engines(postgres="DATABASE_URL" not in os.environ, valkey="REDIS_URL" not in os.environ)
        early_config.add_cleanup(engines.stop)
        engines.start()
        os.environ.update(engines.addresses)
        os.environ.setdefault("PARLEY_DATA_DIR", str(engines.data))
        os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
    return (yield)


def _by_hand() -> Iterator[str]:
    """Run the engines until Ctrl-C, with the lines that point a shell at them."""
    with Engines() as engines:
        variables = engines.addresses | {"PARLEY_DATA_DIR": str(engines.data)}
        yield from (f"export {name}='{value}'" for name, value in variables.items())
        signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    for line in _by_hand():
        print(line, flush=True)
