"""The processes of the application itself, and how each is run."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM, Signals

from config.embedded.model import Model
from config.embedded.postgres import Postgres
from config.embedded.valkey import Valkey
from config.environment import BASE_DIR

Engine = Postgres | Valkey | Model
POOLED = {"DATABASE_POOL_SIZE": "16"}
UNPOOLED = {"DATABASE_POOL_SIZE": "0", "DATABASE_CONN_MAX_AGE": "60"}
SOCKET_FRAME_LIMIT = 256 * 1024


@dataclass(frozen=True)
class Child:
    """A process to be kept running. `clean` puts in order what a killed one left, before each start."""

    name: str
    label: str
    command: Sequence[str]
    folder: Path = BASE_DIR
    environment: dict[str, str] = field(default_factory=dict)
    stop_signal: Signals = SIGTERM
    stops_within: float = 3.0
    clean: Callable[[], None] = lambda: None


def engine(engine: Engine) -> Child:
    return Child(
        name=engine.name,
        label=engine.label,
        command=engine.command(),
        folder=BASE_DIR if isinstance(engine, Model) else Path("/"),
        environment=engine.environment(),
        stop_signal=engine.stop_signal,
        stops_within=2.5,
        clean=engine.forget_last_run,
    )


def web(port: int, *, behind_proxy: bool = False) -> Child:
    """Pages and sockets. No access log: addresses name conversations. No deflate: it costs a third of the CPU."""
    command = _python(
        *("uvicorn", "config.asgi:application", "--host", "127.0.0.1", "--port", str(port)),
        *("--loop", "uvloop", "--http", "httptools", "--lifespan", "off"),
        *("--ws", "websockets-sansio", "--ws-per-message-deflate", "false"),
        *("--ws-max-size", str(SOCKET_FRAME_LIMIT)),
        *("--no-access-log", "--no-server-header"),
        *("--proxy-headers" if behind_proxy else "--no-proxy-headers", "--log-level", "warning"),
        *("--timeout-graceful-shutdown", "3"),
    )
    return Child("web", "the web server", command, environment=POOLED, stops_within=3.6)


def background() -> Child:
    """Short tasks in processes of their own, which can be stopped at a time limit; with the clock that sends them."""
    command = _worker("background", "--beat", "--pool=prefork", "--concurrency=2")
    return Child("background", "the background worker", command, environment=UNPOOLED)


def generation() -> Child:
    """Answers under way: each holds a thread for its lease, the streaming shares one loop."""
    command = _worker("generation", "--pool=threads", "--concurrency=64")
    return Child("generation", "the generation worker", command, environment=POOLED)


def _worker(queue: str, *options: str) -> list[str]:
    return _python(
        *("celery", "--quiet", "--app=config", "worker", f"--queues={queue}", f"--hostname={queue}@%h"),
        *("--without-gossip", "--without-mingle", "--loglevel=WARNING", *options),
    )


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]
