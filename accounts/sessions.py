"""Sessions in the database (SESSION_ENGINE), for keys that Django itself could have made and no others.

A cookie may hold anything: `"…\\000…"` arrives as a NUL, which PostgreSQL refuses to be asked about.
"""

import re
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions


class SessionStore(DatabaseSessions):
    def _validate_session_key(self, key: Any) -> bool:
        """A key of another shape is none."""
        return isinstance(key, str) and re.fullmatch(r"[a-z0-9]{32}", key) is not None
