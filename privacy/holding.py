"""The holdings of privacy itself and of the rooms below, which know nothing of privacy."""

from collections.abc import Iterator
from datetime import datetime

from allauth.account.models import EmailAddress, EmailConfirmation
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session

from accounts import erasure as account_erasure
from accounts.models import Membership, User, Workspace
from accounts.sessions import SessionStore
from privacy import holdings, parts
from privacy.models import Agreed, Agreement, Erasure, Hold, Notice, Reminder, Standing, Subject


def register() -> None:
    holdings.register(
        holdings.Holding(
            name="answers",
            models=(Standing, Subject, Notice, Reminder, Erasure, Hold),
            parts=parts.ANSWERS,
            withheld={
                Erasure: "there only once nobody can sign in to the account any more",
                Hold: "what staff noted for a court or a claim; that a chat is held stands with the chat",
            },
            erase=_erase_answers,
        )
    )
    holdings.register(
        holdings.Holding(
            name="account",
            models=(User, Workspace, Membership, EmailAddress, EmailConfirmation, Session, LogEntry),
            parts=parts.ACCOUNT,
            withheld={
                EmailConfirmation: "keys of links that were sent by e-mail",
                Session: "keys that keep people signed in, and nothing else of theirs",
                LogEntry: "what staff did to other people's accounts and workspaces",
            },
            erase=account_erasure.erase,
            expire=_expire_sessions,
        )
    )
    agreed = "what the owners of a workspace agreed on; it names nobody, and the Privacy page shows it to members"
    holdings.register(
        holdings.Holding(
            name="agreements",
            models=(Agreement, Agreed),
            parts=(),
            withheld={Agreement: agreed, Agreed: agreed},
            erase=_erase_nothing,  # it belongs to the workspace
        )
    )


def _erase_nothing(_: User) -> Iterator[int]:
    return iter(())


def _expire_sessions(_: datetime) -> None:
    """A session names its person in its data; over, it goes. By the clock that set its end, which is Django's own."""
    SessionStore.clear_expired()


def _erase_answers(user: User) -> Iterator[int]:
    """What people were shown and reminded of, and holds that are over. Standing and link go with the last word of the
    evidence (erasure.py), a hold that stands with the person's row."""
    over = Hold.objects.filter(user=user, released_at__isnull=False)
    for rows in (Notice.objects.filter(user=user), Reminder.objects.filter(user=user), over):
        yield rows.delete()[0]
