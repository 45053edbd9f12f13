"""Who is behind a connection that outlives its first request: asked anew before every act.

A page asks at each request whether its session still holds; a socket has only the handshake. What was true then is
kept as a `Visit`, and one query says whether it still is.
"""

from dataclasses import dataclass

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db.models import Exists
from django.db.models.functions import Now
from django.utils.crypto import constant_time_compare

from accounts.errors import SignedOut
from accounts.models import User


@dataclass(frozen=True)
class Visit:
    """A signed-in session as it was when the connection began."""

    user: int
    session_key: str
    auth_hash: str


def visit_of(user: User, session: SessionBase) -> Visit:
    return Visit(user.pk, session.session_key or "", session.get(HASH_SESSION_KEY, ""))


def visitor(visit: Visit) -> User:
    """The person as they are now. Raises SignedOut if the session is gone, the password another, or the person off.

    Sessions end by the database's clock: Django dates them by the machine's, not by the one that tests move.
    """
    held = Session.objects.filter(session_key=visit.session_key, expire_date__gt=Now())
    user = User.objects.filter(Exists(held), pk=visit.user, is_active=True).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), visit.auth_hash):
        raise SignedOut
    return user
