"""Very many conversations: engines as `up` starts them, one database loaded by COPY, and copies of it to spoil.

Everything is in a folder of its own under /tmp and goes at the end. A person has two hundred conversations, a
conversation ten messages of six hundred bytes. The first half of the conversations is due, one every 17 milliseconds:
in the order in which they were begun, as an end follows the last activity, but for a few thousand places to and fro; or
scattered over the table, as if last activity had nothing to do with the beginning.
"""

import os
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg
from psycopg import sql

from config.embedded.postgres import SETTINGS
from tests.engines import Engines

EACH, MESSAGES, SIZE = 200, 10, 600
GAP = timedelta(milliseconds=17)
ASTRAY = 4_000  # places that an end is off the order of the table, at most
CONVERSATION = [
    "id",
    "public_id",
    "workspace_id",
    "author_id",
    "begun_at",
    "begun_epoch",
    "last_activity_at",
    "temporary",
    "kept",
    "held",
    "tag_class",
    "tag_reason",
    "tag_epoch",
    "hidden_from",
    "purge_after",
    "title",
    "title_source",
]
MESSAGE = [
    "id",
    "public_id",
    "conversation_id",
    "parent_id",
    "author_id",
    "request",
    "role",
    "state",
    "text",
    "html",
    "error",
    "model",
    "operator",
    "created_at",
    "finished_at",
    "attempt",
]
SHOWN = ("server_version", "shared_buffers", "fsync", "synchronous_commit", "full_page_writes", "wal_level", *SETTINGS)
NEEDED_GB = 20
SIZES = """
SELECT relname, pg_relation_size(oid) / %s FROM pg_class
WHERE relname ~ '^(chat_|conversation_|message_)' AND relkind IN ('r', 'i') AND pg_relation_size(oid) > 1000000
ORDER BY 2 DESC
"""


@contextmanager
def engines() -> Iterator[None]:
    """Engines with the settings of `up` and no others, printed; Django is set up on them."""
    free = shutil.disk_usage("/tmp").free / 1e9
    if free < NEEDED_GB:
        raise SystemExit(f"{free:.0f} GB are free under /tmp: this needs {NEEDED_GB}.")
    with Engines(extra={}) as running:
        os.environ.update(
            running.addresses,
            DJANGO_SETTINGS_MODULE="config.settings",
            PARLEY_DATA_DIR=str(running.data),
            SWEEP_LIMIT_PERCENT="100",
        )
        import django

        django.setup()
        print_settings()
        yield


def print_settings() -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        rows = server.execute("SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", [list(SHOWN)])
        print("PostgreSQL:", ", ".join(f"{name}={value}" for name, value in rows.fetchall() if "unix" not in name))
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}, {datetime.now(UTC):%Y-%m-%d %H:%M}", flush=True)


# --- Databases ------------------------------------------------------------------


def url(name: str, owner: bool = False) -> str:
    """The address of the database `name`, as the application or as the owner of the tables."""
    address = os.environ["DATABASE_OWNER_URL" if owner else "DATABASE_URL"]
    return urlunsplit(urlsplit(address)._replace(path=f"/{name}"))


@contextmanager
def session(name: str, owner: bool = False) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(url(name, owner), autocommit=True) as connection:
        yield connection


def load(name: str, conversations: int, *, scattered: bool = False, messages: bool = True, due: bool = True) -> None:
    """A database with so many conversations, vacuumed and written out."""
    from django.db import connection

    from tests import database

    began = time.perf_counter()
    database.create(name)
    people = _people(max(conversations // EACH, 1))
    connection.close()
    with session(name) as one:
        with one.transaction():
            one.execute("SET CONSTRAINTS ALL DEFERRED")
            _copy(one, "chat_conversation", CONVERSATION, _conversations(people, conversations, scattered, due))
            if messages:
                _copy(one, "chat_message", MESSAGE, _messages(conversations))
        if messages:
            one.execute("UPDATE chat_conversation SET leaf_id = id * %s", [MESSAGES])
    with session(name, owner=True) as owner:
        for table in ("chat_conversation", "chat_message"):
            owner.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        owner.execute("VACUUM (ANALYZE)")
        owner.execute("CHECKPOINT")
        size = owner.execute("SELECT pg_database_size(%s)", [name]).fetchone()
        sizes = owner.execute(SIZES, [conversations]).fetchall()
    count = conversations * MESSAGES if messages else 0
    print(
        f"{conversations:,} conversations with {count:,} messages of {SIZE} bytes:"
        f" {size[0] / 1e9 if size else 0:.2f} GB, loaded in {time.perf_counter() - began:.0f} s",
        flush=True,
    )
    print("Bytes for each conversation:", ", ".join(f"{name} {each:,}" for name, each in sizes), flush=True)


@contextmanager
def copy_of(loaded: str, name: str = "spoilt") -> Iterator[str]:
    """A copy of a loaded database, gone afterwards."""
    with session("postgres", owner=True) as server:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        server.execute(drop)
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(loaded)
            )
        )
        server.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO PUBLIC").format(sql.Identifier(name)))
        server.execute("CHECKPOINT")
    with session(name) as one:  # into memory, for each the same
        for table in ("chat_conversation", "chat_message"):
            one.execute(f"SELECT count(*) FROM {table} WHERE length(public_id::text) > 40")
    time.sleep(2.5)  # what was done here a moment ago is no load
    try:
        yield name
    finally:
        with session("postgres", owner=True) as server, suppress(psycopg.Error):
            server.execute(drop)


def give_to_one(session: "psycopg.Connection[Any]", conversations: int) -> None:
    """Let the last so many conversations be of the last person, some of whose they are already."""
    session.execute(
        "UPDATE chat_conversation SET author_id = p.personal_to_id, workspace_id = p.id FROM accounts_workspace p"
        " WHERE p.id = (SELECT max(id) FROM accounts_workspace WHERE kind = 'personal')"
        " AND chat_conversation.id > (SELECT max(id) FROM chat_conversation) - %s",
        [conversations],
    )


def _people(number: int) -> list[tuple[int, int]]:
    """People with a personal workspace who refused training: their keys and those of their workspaces."""
    from accounts.models import User, Workspace
    from privacy.models import Standing

    people = User.objects.bulk_create([User(email=f"{n}@parley.example") for n in range(number)], batch_size=2_000)
    places = Workspace.objects.bulk_create(
        [Workspace(kind="personal", plan="free", personal_to=person, name="Personal") for person in people],
        batch_size=2_000,
    )
    Standing.objects.bulk_create([Standing(user=person, training="deny", epoch=1) for person in people])
    return [(person.pk, place.pk) for person, place in zip(people, places, strict=True)]


def _copy(one: "psycopg.Connection[Any]", table: str, columns: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    with one.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _conversations(
    people: list[tuple[int, int]], number: int, scattered: bool, some_due: bool
) -> Iterator[tuple[Any, ...]]:
    chance, now, due = random.Random(1), datetime.now(UTC), number // 2 if some_due else 0
    for n in range(number):
        person, place = people[n // EACH % len(people)]
        ago = n * 7919 % max(due, 1) if scattered else due - n + chance.randrange(ASTRAY)
        at = now - GAP * (ago + 1) if n < due else now + timedelta(days=1) + GAP * n
        active = at - timedelta(days=30)
        key = UUID(int=chance.getrandbits(128), version=4)
        facts = (active, None, active, False, False, False)
        yield n + 1, key, place, person, *facts, "standard", "denied", 1, at, at, f"Conversation {n}", "question"


def _messages(conversations: int) -> Iterator[tuple[Any, ...]]:
    chance, at = random.Random(2), datetime.now(UTC) - timedelta(days=60)
    texts = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz ", k=SIZE)) for _ in range(500)]
    for n in range(conversations * MESSAGES):
        first = n % MESSAGES == 0
        role = "assistant" if n % 2 else "user"
        key = UUID(int=chance.getrandbits(128), version=4)
        belongs = (n // MESSAGES + 1, None if first else n, None, None)
        yield n + 1, key, *belongs, role, "complete", texts[n % 500], "", "", "SmolLM2", "this machine", at, at, 0
