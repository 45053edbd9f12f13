"""Who may do what in the embedded PostgreSQL: made once, by its superuser, in the template of every database."""

from collections.abc import Callable

import psycopg
from psycopg import sql

from config.embedded.postgres import APPLICATION, DATABASE, OWNER

EXTENSIONS = ("pg_trgm", "unaccent", "btree_gin")
# No TRUNCATE, no ownership: the ledger's triggers could be walked around. MAINTAIN lets it rewrite purged tables.
GRANTS = ("SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON TABLES", "USAGE, SELECT ON SEQUENCES")


def make_database(
    superuser_url: Callable[[str], str], passwords: dict[str, str], *, owner_makes_databases: bool
) -> None:
    """Make roles, extensions and the database, where missing; `superuser_url` gives the address of a database."""
    with psycopg.connect(superuser_url("template1"), autocommit=True) as template:
        for role, password in passwords.items():
            _make_role(template, role, password)
        # With these two, deleted text can be made to leave the write-ahead log at once.
        template.execute(f"GRANT pg_checkpoint TO {OWNER}")
        template.execute(f"GRANT EXECUTE ON FUNCTION pg_switch_wal() TO {OWNER}")
        if owner_makes_databases:
            template.execute(f"ALTER ROLE {OWNER} CREATEDB")
            template.execute(f"GRANT pg_signal_backend TO {OWNER}")  # to drop one that a test still holds
        for extension in EXTENSIONS:
            template.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
        for grant in GRANTS:
            template.execute(f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT {grant} TO {APPLICATION}")
        known = template.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
    with psycopg.connect(superuser_url("postgres"), autocommit=True) as server:
        if known is None:
            server.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        server.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        server.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {APPLICATION}")


def _make_role(template: psycopg.Connection, role: str, password: str) -> None:
    known = template.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    statement = "ALTER ROLE {} PASSWORD {}" if known else "CREATE ROLE {} LOGIN PASSWORD {}"
    template.execute(sql.SQL(statement).format(sql.Identifier(role), sql.Literal(password)))
