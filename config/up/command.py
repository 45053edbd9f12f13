"""The command `up` as the shell sees it: options in, lines out, an exit code."""

import argparse
import asyncio
import errno
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from config.embedded.trouble import Trouble
from config.environment import data_dir
from config.up import checks
from config.up.report import Report

if TYPE_CHECKING:
    from config.up.house import House

HELP = "Run the whole product: the engines that the environment does not name, the web server and the workers."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8000, help="the port of the web server (default: 8000)")
    parser.add_argument("--data-dir", default="", help="the folder for data, logs and secrets (default: var/)")
    parser.add_argument("--demo", action="store_true", help="make people and conversations to try the product with")


def main(arguments: list[str]) -> int:
    """Run `up` with these arguments and return its exit code."""
    parser = argparse.ArgumentParser(prog="manage.py up", description=HELP)
    add_arguments(parser)
    chosen = parser.parse_args(arguments)
    data = Path(chosen.data_dir).resolve() if chosen.data_dir else data_dir()
    return run(data, chosen.port, demo=chosen.demo)


def run(data: Path, port: int, *, demo: bool) -> int:
    report = Report()
    try:
        checks.platform_known()
        from config.up.house import House, Options  # which needs what Windows has not

        asyncio.run(_until_signal(House(Options(data, port, demo), report)))
    except Trouble as trouble:
        return _refuse(f"{trouble}{checks.fullness(data)}")
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return _refuse(f"The disk that holds {data} is full: make room, or choose another --data-dir.")
        return _refuse(_unexpected(error, data))
    except Exception as error:
        return _refuse(_unexpected(error, data))
    return 0


async def _until_signal(house: "House") -> None:
    """Run the house until it ends by itself or a signal asks for it; a second signal changes nothing."""
    work = asyncio.ensure_future(house.run())
    loop = asyncio.get_running_loop()
    asked = False

    def stop() -> None:
        nonlocal asked
        if not asked:
            asked = True
            work.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        loop.add_signal_handler(signal.SIGHUP, stop)
    try:
        await work
    except asyncio.CancelledError:
        if not asked:
            raise


def _unexpected(error: Exception, data: Path) -> str:
    log = data / "logs" / "up.log"
    try:
        with log.open("a") as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return f"{type(error).__name__}: {error}"
    return f"{type(error).__name__}: {error} (log: {log})"


def _refuse(line: str) -> int:
    sys.stderr.write(f"Error: {line}\n")
    return 1
