"""The test database: made and emptied by the owner, used by the application's role, which owns nothing."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import dj_database_url
import psycopg
import psycopg.conninfo
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

from config.embedded.postgres import program
from config.embedded.roles import GRANTS

_owner_url = ""


def create(name: str) -> None:
    """Create and migrate the database `name` as the owner; the default connection then uses it as the application."""
    global _owner_url
    _owner_url = _at(settings.DATABASE_OWNER_URL, name)
    with psycopg.connect(settings.DATABASE_OWNER_URL, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        server.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO PUBLIC").format(sql.Identifier(name)))
    _open_to_the_application()
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    with _as_owner():
        call_command("migrate", verbosity=0, interactive=False)


def drop() -> None:
    """Drop it again."""
    name = connection.settings_dict["NAME"]
    with psycopg.connect(settings.DATABASE_OWNER_URL, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def another(name: str) -> Iterator[None]:
    """For a while, another database in place of the tests' own: migrated under the settings of the moment."""
    global _owner_url
    before = connection.settings_dict["NAME"], _owner_url
    create(name)
    try:
        yield
    finally:
        connections.close_all()
        drop()
        connection.close()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"], _owner_url = before


@contextmanager
def backed_up(file: Path) -> Iterator[Callable[[], None]]:
    """A dump of the database as it is now, by pg_dump; calling what this gives puts one restored from it in its place.

    Nothing but its closed connections tells a process so. Afterwards the tests' own database is back.
    """
    global _owner_url
    before, restored = (connection.settings_dict["NAME"], _owner_url), f"restored_{uuid4().hex[:8]}"
    subprocess.run([program("pg_dump"), "--no-comments", f"--file={file}", _owner_url], check=True)

    def restore() -> None:
        global _owner_url
        connections.close_all()
        with psycopg.connect(settings.DATABASE_OWNER_URL, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(restored)))
            server.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO PUBLIC").format(sql.Identifier(restored)))
        _owner_url = _at(settings.DATABASE_OWNER_URL, restored)
        psql = [str(program("psql")), "--quiet", "--set=ON_ERROR_STOP=1", f"--file={file}", _owner_url]
        subprocess.run(psql, check=True, stdout=subprocess.DEVNULL)
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = restored

    try:
        yield restore
    finally:
        connections.close_all()
        with psycopg.connect(settings.DATABASE_OWNER_URL, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(restored)))
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"], _owner_url = before


def empty_as_owner() -> None:
    """Empty every table but the terms, past the ledger's triggers: the one bypass, which exists only here.

    The application's role cannot do this; the owner of the tables disables the triggers first.
    """
    with psycopg.connect(_owner_url, autocommit=True) as owner:
        kept = ("django_migrations", "django_content_type", "auth_permission", "privacy_terms")
        rows = owner.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND NOT tablename = ANY(%s)", [list(kept)]
        ).fetchall()
        tables = [sql.Identifier(name) for (name,) in rows]
        with owner.transaction():
            for table in tables:
                owner.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(table))
            owner.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(tables)))
            for table in tables:
                owner.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(table))
            owner.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks that still wait cannot be altered
            owner.execute("ALTER TABLE privacy_terms DISABLE TRIGGER USER")
            owner.execute("DELETE FROM privacy_terms WHERE slug <> '1'")
            owner.execute("ALTER TABLE privacy_terms ENABLE TRIGGER USER")


def owner() -> "psycopg.Connection[Any]":
    """A connection of the tables' owner, for tests that attack from there."""
    return psycopg.connect(_owner_url, autocommit=True)


def superuser() -> "psycopg.Connection[Any]":
    """A connection that no trigger and no foreign key hinders, for tests that attack from there.

    It skips the test where the server is not the embedded one, for nobody knows its superuser then.
    """
    password = settings.DATA_DIR / "secrets" / "postgres"
    if not password.exists():
        pytest.skip("this attack needs the superuser of the embedded PostgreSQL")
    url = psycopg.conninfo.make_conninfo(_owner_url, user="postgres", password=password.read_text().strip())
    return psycopg.connect(url, autocommit=True, options="-c session_replication_role=replica")


def owners_account() -> dict[str, str]:
    """The owner's name and password, as Django's settings name them."""
    parsed = dj_database_url.parse(settings.DATABASE_OWNER_URL)
    return {"USER": parsed["USER"], "PASSWORD": parsed["PASSWORD"]}


def _open_to_the_application() -> None:
    """Let its role use the tables to come, as README.md has it done once for the product's own database.

    The embedded server has this in the template of every database; one that the environment names need not.
    """
    application = sql.Identifier(str(connection.settings_dict["USER"]))
    with psycopg.connect(_owner_url, autocommit=True) as owner:
        for grant in GRANTS:
            owner.execute(sql.SQL("ALTER DEFAULT PRIVILEGES GRANT {} TO {}").format(sql.SQL(grant), application))


@contextmanager
def _as_owner() -> Iterator[None]:
    """Let the default connection be the owner's for a while."""
    mine = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    connection.settings_dict.update(owners_account())
    try:
        yield
    finally:
        connections.close_all()
        connection.settings_dict.update(mine)


def _at(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
