"""The sequence of `up`: look, start the engines, prepare, start the application, mind it, stop it."""

import asyncio
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from environs import Env

from config.embedded import places
from config.embedded.model import Model
from config.embedded.postgres import Postgres
from config.embedded.tether import tethered
from config.embedded.trouble import Trouble
from config.embedded.valkey import Valkey
from config.environment import BASE_DIR
from config.up import changes, checks, children, leftovers, lock, restored
from config.up.minder import Minder, last_words
from config.up.report import Report

READY_WITHIN = 60.0
OPERATORS_OWN = ("MODEL_LABEL", "MODEL_OPERATOR", "MODEL_MAX_TOKENS")  # also of the embedded model
# Answers first stop being asked for, then being written, then being kept.
STOPPING = (("web",), ("background", "generation"), ("model", "valkey", "postgres"))


@dataclass(frozen=True)
class Options:
    data: Path
    port: int
    demo: bool


class House:
    """One run of the product on one data folder."""

    def __init__(self, options: Options, report: Report) -> None:
        self.options = options
        self.report = report
        self.data = options.data
        self.run_folder = options.data / "run"
        self.minder = Minder(options.data)
        self.engines: list[children.Engine] = []
        self.environment: dict[str, str] = {
            **os.environ,
            "PARLEY_DATA_DIR": str(options.data),
            "PYTHONUNBUFFERED": "1",
        }
        self.environment.setdefault("LOCAL_ORIGIN", f"http://127.0.0.1:{options.port}")
        # For migrations alone: what serves people must not be able to change the ledger.
        self.owner = self.environment.pop("DATABASE_OWNER_URL", "")

    async def run(self) -> None:
        """Everything, until a signal or trouble."""
        checks.make_folders(self.data)
        with lock.held(self.run_folder):
            if ended := leftovers.end(self.run_folder):
                self.report.line(f"  Ended {ended} processes that an earlier run had left")
            checks.room_on_disk(self.data)
            checks.port_free(self.options.port)
            checks.given_services(os.environ)
            self.engines = needed_engines(self.data, os.environ)
            async with self._stopped_at_the_end():
                await self._start()
                await self.minder.mind()

    async def _start(self) -> None:
        await self._start_engines()
        await self._prepare()
        if self.options.demo:
            await self._demo()
        with self.report.step("Starting the web server and the workers"):
            web = children.web(self.options.port, behind_proxy=Env().bool("TRUST_PROXY_HEADERS", False))
            for child in (web, children.background(), children.generation()):
                await self.minder.start(child, self.environment)
            await self._until_ready()
        self._say_ready()

    async def _start_engines(self) -> None:
        """Start the engines. The model server loads its weights while the rest goes on."""
        for engine in self.engines:
            with self.report.step(f"Starting {engine.label}"):
                await asyncio.to_thread(engine.initialise)
                await self.minder.start(children.engine(engine), self.environment)
                while not (isinstance(engine, Model) or await asyncio.to_thread(engine.ready)):
                    await self.minder.check()
                    await asyncio.sleep(0.05)
                await asyncio.to_thread(engine.prepare)
        addresses = {name: value for engine in self.engines for name, value in engine.addresses().items()}
        addresses |= {name: os.environ[name] for name in OPERATORS_OWN if os.environ.get(name)}
        self.environment |= addresses
        self._write_down("environment.json", addresses)
        for engine in self.engines:
            if isinstance(engine, Postgres):
                self.owner = engine.owner_addresses()["DATABASE_OWNER_URL"]
                self._write_down("owner.json", engine.owner_addresses())

    async def _prepare(self) -> None:
        """Migrate, replay what a restored database missed, collect static files; one elsewhere may have changed."""
        record = Postgres(self.data).prepared_for
        guard = self.environment.get("GUARD_LOG") or str(self.data / "guard" / "log.jsonl")
        embedded = "DATABASE_URL" not in os.environ
        if embedded and changes.seen(record) and not await asyncio.to_thread(restored.is_older, guard, self.owner):
            return
        variables = {"DATABASE_URL": self.owner or self.environment["DATABASE_URL"], **self.first_terms()}
        with self.report.step("Migrating the database, collecting static files"):
            log = self.minder.log("prepare")
            with log.open("wb") as file:
                code = await self._program("-m", "config.up.prepare", output=file.fileno(), **variables)
            if code:
                raise Trouble(
                    f"The database or the static files could not be brought up to date{last_words(log)}; log: {log}"
                )
        if embedded:
            changes.remember(record)

    def first_terms(self) -> dict[str, str]:
        """A database that is made for the demonstration begins with the terms of its story; others never do."""
        if not self.options.demo or self.environment.get("FIRST_TERMS"):
            return {}
        return {"FIRST_TERMS": str(BASE_DIR / "config/demo/terms/before.toml")}

    async def _demo(self) -> None:
        self.report.line("  Making people and conversations to try the product with:")
        if await self._program("manage.py", "demo"):
            raise Trouble("The demo could not be made; what it said stands above. Start without --demo to go on.")

    async def _program(self, *arguments: str, output: int | None = None, **variables: str) -> int:
        """Run a program of the project to its end; it ends with `up` if that ends first."""
        process = await asyncio.create_subprocess_exec(
            *tethered([sys.executable, *arguments], signal.SIGTERM),
            cwd=BASE_DIR,
            env={**self.environment, **variables},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT if output else None,
            start_new_session=True,
        )
        try:
            return await process.wait()
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise

    async def _until_ready(self) -> None:
        url = f"http://127.0.0.1:{self.options.port}/readyz"
        deadline = asyncio.get_running_loop().time() + READY_WITHIN
        while (missing := await asyncio.to_thread(not_ready, url)) is not None:
            await self.minder.check()
            if asyncio.get_running_loop().time() > deadline:
                raise Trouble(f"Not ready after {READY_WITHIN:.0f} s: {missing} (logs: {self.data / 'logs'}).")
            await asyncio.sleep(0.2)

    def _say_ready(self) -> None:
        say = self.report.line
        say(f"\nParley is ready at http://127.0.0.1:{self.options.port}/ ({self.report.seconds():.1f} s)")
        if not os.environ.get("EMAIL_URL"):
            say(f"Mails land in {self.data / 'mail'} (set EMAIL_URL to send them).")
        say(f"Data, logs and secrets are in {self.data}. Stop with Ctrl-C.")

    def _write_down(self, name: str, addresses: dict[str, str]) -> None:
        """Let a second shell (`manage.py createsuperuser`) find the same engines."""
        path = self.run_folder / name
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(addresses))
        draft.replace(path)

    @asynccontextmanager
    async def _stopped_at_the_end(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            with self.report.step("Stopping"):
                for names in STOPPING:
                    await self.minder.stop(names)
                for name in ("environment.json", "owner.json", "processes.json"):
                    (self.run_folder / name).unlink(missing_ok=True)
                places.remove_sockets(self.data)


def needed_engines(data: Path, given: Mapping[str, str]) -> list[children.Engine]:
    """The engines that the environment does not name, the one that takes longest to make last."""
    engines: list[children.Engine] = []
    if not given.get("REDIS_URL"):
        engines.append(Valkey(data))
    if not given.get("MODEL_URL") and given.get("MODEL_PROVIDER", "openai") == "openai":
        engines.append(Model(data))
    if not given.get("DATABASE_URL"):
        engines.append(Postgres(data))
    return engines


def not_ready(url: str) -> str | None:
    """What is missing, by the product's own account; None when nothing is."""
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 (always http, always loopback)
            return None
    except urllib.error.HTTPError as refusal:
        try:
            parts = json.loads(refusal.read())
        except ValueError:
            return f"{url} answers {refusal.code}"
        return json.dumps({name: state for name, state in parts.items() if name != "ready"})
    except OSError:
        return "the web server does not answer"
