"""What `manage.py check --deploy` says of the installation that Django cannot know."""

from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError, connection

POWERS = """
SELECT rolsuper, EXISTS (
    SELECT FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = current_schema() AND relkind IN ('r', 'p') AND pg_has_role(current_user, relowner, 'MEMBER')
) FROM pg_roles WHERE rolname = current_user
"""


@register(Tags.security, deploy=True)
def application_role(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """The ledger refuses changes by triggers, which the owner of its table, or a superuser, can switch off."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(POWERS)
            superuser, owns = cursor.fetchone()
    except DatabaseError:
        return []  # it does not answer: nothing can be said
    if not superuser and not owns:
        return []
    how = "is a superuser" if superuser else "owns tables"
    return [
        Warning(
            f"The application connects to the database as a role that {how}, and could change the ledger.",
            hint="Give DATABASE_URL a role of its own, and the owner's in DATABASE_OWNER_URL to migrations alone.",
            id="parley.W001",
        )
    ]
