"""Keeps children running: starts them, restarts those that die, stops them in order, keeps their logs short.

circus does the work on each process (a session of its own, rotated logs, a time to stop and then the kill of its
whole tree). Its own daemon is not used, since it stops everything at once, opens control sockets and knows neither
"ready" nor "five times within a minute" (docs/decisions/0001-process-manager.md).
"""

import asyncio
import logging
import re
import shlex
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from pathlib import Path

from circus.process import DEAD_OR_ZOMBIE, UNEXISTING
from circus.watcher import Watcher

from config.embedded.tether import tethered
from config.embedded.trouble import Trouble
from config.up import leftovers
from config.up.children import Child
from config.up.logs import RotatedLog

LOOKS_EVERY = 0.2
LAST_WORDS_TAKE = 0.05
DEATHS, WITHIN = 5, 60.0
REASON = re.compile(r"\b(FATAL|PANIC|\w*Error|error)\b")
# Before the second, third … restart within the minute.
PAUSES = (0.0, 0.5, 1.0, 2.0)

logging.getLogger("circus").setLevel(logging.ERROR)


class Minder:
    """The children of one `up`, whose data are in `data`."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.children: dict[str, Child] = {}
        self.watchers: dict[str, Watcher] = {}
        self.deaths: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=DEATHS))
        self.restart_at: dict[str, float] = {}
        self.exit_codes: dict[str, int] = {}
        self.log_began: dict[str, int] = {}

    async def start(self, child: Child, environment: Mapping[str, str]) -> None:
        """Start `child`; `environment` is the whole of what it sees, but for what is its own."""
        child.clean()
        command, *arguments = tethered(child.command, child.stop_signal)
        log = self.log(child.name)
        stream = {"stream": RotatedLog(log)}
        self.log_began[child.name] = log.stat().st_size
        watcher = Watcher(
            name=child.name,
            cmd=shlex.quote(command),
            args=arguments,
            env={**environment, **child.environment},
            working_dir=str(child.folder),
            stop_signal=child.stop_signal,
            graceful_timeout=child.stops_within,
            stdout_stream=stream,
            stderr_stream=stream,
            hooks={"after_spawn": (self._record, False), "after_reap": (self._note_exit, True)},
        )
        watcher.initialize(None, {}, None)
        self.children[child.name], self.watchers[child.name] = child, watcher
        await watcher.start()

    async def check(self) -> None:
        """Raise Trouble if a child has died: at the start, none may."""
        for name in self.watchers:
            if self._dead(name):
                await self._bury(name)
                raise Trouble(f"{self._words(name)} stopped at its start ({self._why(name)}).")

    async def mind(self) -> None:
        """Restart what dies, until one dies too often."""
        while True:
            for name in self.watchers:
                await self._look_after(name)
            await asyncio.sleep(LOOKS_EVERY)

    async def stop(self, names: Iterable[str]) -> None:
        """Stop these children together, and return when none is left."""
        watchers = [self.watchers.pop(name) for name in names if name in self.watchers]
        pids = [pid for watcher in watchers for pid in watcher.processes]
        # Whatever goes wrong with one, its session is ended below and the others are stopped.
        await asyncio.gather(*(watcher.stop() for watcher in watchers), return_exceptions=True)
        for pid in pids:
            leftovers.end_session(pid)

    def log(self, name: str) -> Path:
        return self.data / "logs" / f"{name}.log"

    async def _look_after(self, name: str) -> None:
        now = time.monotonic()
        if self._dead(name):
            await self._bury(name)
            deaths = self.deaths[name]
            deaths.append(now)
            recent = sum(now - death < WITHIN for death in deaths)
            if recent == DEATHS:
                raise Trouble(
                    f"{self._words(name)} died {DEATHS} times within a minute, so everything was stopped "
                    f"({self._why(name)})."
                )
            self.restart_at[name] = now + PAUSES[min(recent, len(PAUSES)) - 1]
        if name in self.restart_at and now >= self.restart_at[name]:
            del self.restart_at[name]
            self.children[name].clean()
            self.log_began[name] = self.log(name).stat().st_size
            await self.watchers[name].manage_processes()

    async def _bury(self, name: str) -> None:
        """Read what a dead child said last, reap it, and end what it has left of its own (a worker's pool)."""
        watcher = self.watchers[name]
        await asyncio.sleep(LAST_WORDS_TAKE)
        for pid, process in list(watcher.processes.items()):
            # Left in place, the closed pipe's number collides with that of the next child (circus 0.19).
            watcher.stream_redirector.remove_redirections(process)
            watcher.reap_process(pid)
            leftovers.end_session(pid)

    def _why(self, name: str) -> str:
        code = self.exit_codes.get(name, 0)
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        log = self.log(name)
        began = self.log_began[name] if self.log_began[name] <= log.stat().st_size else 0
        return f"{how}{last_words(log, began)}; log: {log}"

    def _note_exit(self, watcher: Watcher, exit_code: int, **about: object) -> bool:
        self.exit_codes[watcher.name] = exit_code
        return True

    def _dead(self, name: str) -> bool:
        processes = self.watchers[name].processes.values()
        return any(process.status in (DEAD_OR_ZOMBIE, UNEXISTING) for process in processes)

    def _words(self, name: str) -> str:
        label = self.children[name].label
        return label[0].upper() + label[1:]

    def _record(self, **about: object) -> bool:
        recorded = [
            leftovers.Recorded(name, pid, process._worker.create_time(), int(self.children[name].stop_signal))
            for name, watcher in self.watchers.items()
            for pid, process in watcher.processes.items()
        ]
        leftovers.write(self.data / "run", recorded)
        return True


def last_words(log: Path, began: int = 0) -> str:
    """The last line written to a log since `began`, which mostly names the reason."""
    with log.open("rb") as file:
        file.seek(max(began, log.stat().st_size - 4096))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    reasons = [line for line in lines if REASON.search(line)]
    return f", last words: {(reasons or lines)[-1][:300]}" if lines else ""
