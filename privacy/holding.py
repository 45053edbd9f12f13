"""The holdings of privacy itself and of the rooms below, which know nothing of privacy."""

from datetime import datetime

from allauth.account.models import EmailAddress, EmailConfirmation
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session

from accounts.models import Membership, User, Workspace
from privacy import holdings
from privacy.models import Notice, Reminder, Standing, Subject


def register() -> None:
    holdings.register(
        holdings.Holding(
            name="account",
            models=(User, Workspace, Membership, EmailAddress, EmailConfirmation, LogEntry),
            expire=_expire_sessions,
        )
    )
    holdings.register(holdings.Holding(name="answers", models=(Standing, Subject, Notice, Reminder)))


def _expire_sessions(now: datetime) -> None:
    """A session names its person in its data; over, it goes."""
    Session.objects.filter(expire_date__lt=now).delete()
