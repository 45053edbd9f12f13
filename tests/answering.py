"""Answers being written: scripts for the provider, threads that write, and what row and journal have."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections, transaction

from chat.generation.write import write_answer
from chat.journal import connection as valkey
from chat.journal import keys, replies
from chat.models import Message


def script(**options) -> str:
    return "Tell me.\n/script " + json.dumps(options)


WORDS = "".join(f"word{number} " for number in range(1, 301))


def eventually(holds: Callable[[], object], seconds: float = 10) -> None:
    """Wait for what another thread is about to bring about; fails when it does not."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        threading.Event().wait(0.01)


def in_background(pk: int) -> threading.Thread:
    def run() -> None:
        try:
            write_answer(pk)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def journal(answer: Message) -> list[tuple[str, str]]:
    entries = replies.entries(valkey.plain().xrange(keys.key(answer.public_id)))
    return [(entry.decode(), fields[keys.TEXT].decode()) for entry, fields in entries]


def text_of(answer: Message) -> str:
    answer.refresh_from_db()
    return answer.text


def apart(function: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run `function` in a thread with a connection of its own."""

    def run() -> Any:
        try:
            return function(*args)
        finally:
            connections.close_all()

    pool = ThreadPoolExecutor(1)
    future = pool.submit(run)
    pool.shutdown(wait=False)
    return future


@contextmanager
def until_somebody_waits() -> Iterator[None]:
    """A transaction that commits only once another one waits for a lock of it (or for a second in vain)."""
    with transaction.atomic():
        yield
        deadline = time.monotonic() + 2
        while not _anybody_waits() and time.monotonic() < deadline:
            threading.Event().wait(0.01)


def _anybody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees it as it was at the first look
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])
