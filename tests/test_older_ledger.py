"""A ledger from before events were chained becomes one that can be verified."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings as configuration
from psycopg import sql

from tests import database

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def older() -> Iterator["psycopg.Connection"]:
    """A database as it was before events were chained, with two people's answers in it."""
    name = f"parley_test_older_{os.getpid()}"
    address = database._at(configuration.DATABASE_OWNER_URL, name)
    with psycopg.connect(configuration.DATABASE_OWNER_URL, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            migrated(address, "0004")
            with psycopg.connect(address, autocommit=True) as old:
                yield old
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def migrated(address: str, to: str = "") -> None:
    manage(address, "migrate", "privacy", *([to] if to else []), "-v0")


def manage(address: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=os.environ | {"DATABASE_URL": address, "DATABASE_OWNER_URL": address},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_events_recorded_before_are_chained_and_name_the_sealed_terms(older):
    old_digest = earlier_digest(older)
    subjects = [uuid4(), uuid4()]
    for subject in (subjects[0], None, subjects[1], subjects[0]):
        older.execute(
            "INSERT INTO privacy_event (subject, actor, act, terms, source, at, detail)"
            " VALUES (%s, %s, 'terms_accepted', %s, 'choice_page', now(), '{\"epoch\": 0}')",
            [subject, subject, old_digest],
        )
    migrated(address_of(older))
    assert older.execute("SELECT DISTINCT source FROM privacy_event").fetchall() == [("page",)]
    sealed = older.execute("SELECT digest FROM privacy_terms").fetchone()
    assert older.execute("SELECT DISTINCT terms FROM privacy_event").fetchall() == [sealed] != [(old_digest,)]
    rows = older.execute("SELECT subject, previous, hash FROM privacy_event ORDER BY id").fetchall()
    assert [previous for _, previous, _ in rows] == ["", "", "", rows[0][2]]
    assert "ok  events: 4" in manage(address_of(older), "verify_ledger")
    with pytest.raises(psycopg.errors.RestrictViolation):
        older.execute("UPDATE privacy_event SET act = 'x'")


def test_the_migration_goes_back_and_forth(older):
    migrated(address_of(older), "0006")
    migrated(address_of(older), "0005")
    guards = "SELECT count(*) FROM pg_trigger WHERE tgname IN ('salts_never_change', 'salts_go_one_by_one')"
    assert older.execute(guards).fetchone() == (0,)
    migrated(address_of(older))
    assert older.execute(guards).fetchone() == (2,)


def address_of(older: "psycopg.Connection") -> str:
    return database._at(configuration.DATABASE_OWNER_URL, older.info.dbname)


def earlier_digest(older: "psycopg.Connection") -> str:
    """The digest of the first terms as events named it then."""
    names = ("slug", "title", "summary", "body", "training_years", "standard_days", "temporary_hours", "deletion_hours")
    row = older.execute(f"SELECT {', '.join(names)} FROM privacy_terms").fetchone() or ()
    terms = SimpleNamespace(**dict(zip(names, row, strict=True)))
    return str(import_module("privacy.migrations.0006_chained_ledger")._earlier_digest(terms))
