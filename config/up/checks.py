"""What can be seen to be wrong before anything is started, each with what to do about it."""

import os
import platform
import shutil
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from config.embedded.trouble import Trouble

MEGABYTE = 1024 * 1024
FIRST_START_NEEDS = 300 * MEGABYTE
NEXT_START_NEEDS = 100 * MEGABYTE
NO_ROOM = 20 * MEGABYTE  # PostgreSQL, for one, asks for room in pieces of several
TIME_OUT = 5
WITHOUT_ADDRESS = {"openai", "scripted"}  # the first is embedded, the second is no service


def platform_known() -> None:
    if platform.system() == "Windows":
        raise Trouble("`up` runs on Linux and macOS. On Windows, use the Linux subsystem (WSL).")


def make_folders(data: Path) -> None:
    """Make the data folder and those within that hold more than one file."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        for name in ("run", "logs", "secrets", "mail"):
            (data / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Trouble(f"{data} cannot be used ({error.strerror}): choose another --data-dir.") from None
    if not os.access(data, os.W_OK):
        raise Trouble(f"{data} cannot be written to: choose another --data-dir, or change its owner.")


def room_on_disk(data: Path) -> None:
    needed = NEXT_START_NEEDS if (data / "postgres").exists() else FIRST_START_NEEDS
    free = shutil.disk_usage(data).free
    if free < needed:
        raise Trouble(
            f"The disk that holds {data} is full: {free // MEGABYTE} MB are free, {needed // MEGABYTE} MB are "
            "needed. Make room, or choose a --data-dir on another disk."
        )


def fullness(data: Path) -> str:
    """What to add to any trouble while the disk is full, which may be the reason for it."""
    try:
        free = shutil.disk_usage(data).free
    except OSError:
        return ""
    return f" The disk that holds {data} is full ({free // MEGABYTE} MB are free): make room." if free < NO_ROOM else ""


def port_free(port: int) -> None:
    if not 0 < port < 65_536:  # 0 would be any, which nobody is told
        raise Trouble(f"{port} is not a port: give one between 1 and 65535 with --port.")
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError as error:
            raise Trouble(f"Port {port} cannot be used ({error.strerror}): give another one with --port.") from None


def given_services(given: Mapping[str, str]) -> None:
    """Ask the services that the environment names, so that a wrong address is named as such."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        if given.get(name):
            _database_answers(name, given[name])
    if given.get("REDIS_URL"):
        _redis_answers(given["REDIS_URL"])
    if given.get("MODEL_URL"):
        _model_answers(given["MODEL_URL"])
    elif (provider := given.get("MODEL_PROVIDER", "openai")) not in WITHOUT_ADDRESS:
        raise Trouble(
            f"MODEL_PROVIDER is “{provider}”, for which there is no embedded model: give the service's address in "
            "MODEL_URL, or unset MODEL_PROVIDER."
        )


def _database_answers(name: str, url: str) -> None:
    import psycopg  # half a second, spared where the engine is embedded

    try:
        psycopg.connect(url, connect_timeout=TIME_OUT).close()
    except psycopg.ProgrammingError:  # whose words quote the address, and with it the password
        reason = "it does not read as postgresql://role:password@host/name"
    except psycopg.Error as error:
        # The first line says what happened, those below guess why.
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
    else:
        return
    raise Trouble(f"{name} names no database that can be used ({reason}): correct it, or unset it.")


def _redis_answers(url: str) -> None:
    import redis

    try:
        with redis.Redis.from_url(url, socket_timeout=TIME_OUT, socket_connect_timeout=TIME_OUT) as client:
            client.ping()
    except (redis.RedisError, ValueError, OSError) as error:
        raise Trouble(f"REDIS_URL names no Redis that answers ({error}): correct it, or unset it.") from None


def _model_answers(url: str) -> None:
    """Any answer will do, a refusal too: which key and which paths are right is the provider's matter."""
    try:
        urllib.request.urlopen(url, timeout=TIME_OUT).close()  # noqa: S310 (the operator's own setting)
    except urllib.error.HTTPError:
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise Trouble(f"MODEL_URL names no server that answers ({reason}): correct it, or unset it.") from None
