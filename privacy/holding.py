"""The holdings of privacy itself and of the rooms below, which know nothing of privacy."""

from allauth.account.models import EmailAddress, EmailConfirmation
from django.contrib.admin.models import LogEntry

from accounts.models import Membership, User, Workspace
from privacy import holdings
from privacy.models import Standing, Subject


def register() -> None:
    holdings.register(
        holdings.Holding(
            name="account", models=(User, Workspace, Membership, EmailAddress, EmailConfirmation, LogEntry)
        )
    )
    holdings.register(holdings.Holding(name="answers", models=(Standing, Subject)))
