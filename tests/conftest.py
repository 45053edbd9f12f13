"""Fixtures: a database whose application role owns nothing, as in production, and a clock that can be moved."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from pytest_django import DjangoDbBlocker

from tests import database


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database of this worker's own: migrated by the owner, used by the application's role."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with django_db_blocker.unblock():
        database.create(f"parley_test_{worker}_{os.getpid()}")
        yield
        connections.close_all()
        database.drop()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Real commits, seen by other connections; every table is emptied afterwards."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()
        database.empty_as_owner()


@pytest.fixture(autouse=True)
def _quick_and_clean(settings: Any) -> Iterator[None]:
    """Cheap password hashes; no rate limit or page of one test is seen by the next."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.SOCKET_THREADS = 0  # in the test's own thread, which sees its transaction
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.MODEL = {**settings.MODEL, "provider": "scripted", "url": "", "continues": True}
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": f"test-{os.getpid()}"}}
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _own_guard_log(settings: Any, tmp_path: Path) -> None:
    """What one test's database decides is unknown to the next one's."""
    settings.GUARD_LOG = str(tmp_path / "guard" / "log.jsonl")


@pytest.fixture(autouse=True)
def _own_file_of_heads(settings: Any, tmp_path: Path) -> None:
    """Signed heads of one test are not looked for in the ledger of the next."""
    settings.LEDGER_HEADS_FILE = str(tmp_path / "heads.jsonl")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless browser for all tests of a file."""
    from tests.browser import launched  # Playwright takes its time to load, and most tests need none

    with launched() as browser:
        yield browser


@pytest.fixture
def socket_sees_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a socket's database calls share the test's transaction."""
    monkeypatch.setattr("channels.db.close_old_connections", lambda: None)


@pytest.fixture
def move_clock(settings: Any, tmp_path: Path) -> Callable[..., None]:
    """Move the one clock: `move_clock(days=31)` sets it that far ahead of the real one."""
    file = tmp_path / "clock"
    settings.CLOCK_FILE = str(file)

    def move(**ahead: float) -> None:
        file.write_text(str(timedelta(**ahead).total_seconds()))

    return move
