"""Brings the database and the static files up to the code, as the role that owns the tables.

A program of its own, so that the process which minds the others needs no Django: `python -m config.up.prepare`.
"""

import hashlib
import os
from pathlib import Path


def main() -> None:
    import django
    from django.core.exceptions import ImproperlyConfigured

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        django.setup()
        migrate()
        replay_erasures()
        collect_static_files()
    except ImproperlyConfigured as wrong:  # it says what to correct; a traceback would hide that
        raise SystemExit(f"Error: {wrong}") from None


def migrate() -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from privacy.guard import watch

    with watch.off():
        connection.ensure_connection()
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=1, skip_checks=True)


def replay_erasures() -> None:
    """A restored backup learns what was deleted since, before anybody can read (docs/restoring.md)."""
    from django.core.management import call_command
    from django.db import connection

    from privacy.guard import watch

    with watch.off():
        if watch.is_older(connection):
            call_command("replay_erasures", skip_checks=True)


def collect_static_files() -> None:
    """Collect and hash the static files, if any has changed since that was done last."""
    from django.conf import settings
    from django.core.management import call_command

    seen = Path(settings.STATIC_ROOT).with_name("static.seen")
    fingerprint = _fingerprint()
    if seen.exists() and seen.read_text() == fingerprint and Path(settings.STATIC_ROOT).is_dir():
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0, skip_checks=True)
    seen.write_text(fingerprint)


def _fingerprint() -> str:
    from django.contrib.staticfiles.finders import get_finders

    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            file = Path(storage.path(path))
            state = file.stat()
            digest.update(f"{file} {state.st_size} {state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
