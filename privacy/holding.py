"""The holdings of privacy itself and of the rooms below, which know nothing of privacy."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress, EmailConfirmation
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.utils.translation import gettext_lazy as _

from accounts import erasure as account_erasure
from accounts.models import Membership, User, Workspace
from accounts.sessions import SessionStore
from privacy import expiry, holdings, parts
from privacy.exporting import asking, files
from privacy.models import (
    Agreed,
    Agreement,
    Appeal,
    Deletion,
    Erasure,
    ExpiryNotice,
    ExpirySetting,
    Export,
    Flag,
    Hold,
    Letter,
    Notice,
    Reader,
    Reading,
    Reminder,
    Retagging,
    Standing,
    Subject,
)

LISTED = timedelta(days=366)  # what somebody deleted, so that they find its certificate


def register() -> None:
    holdings.register(
        holdings.Holding(
            name="answers",
            models=(Standing, Subject, Notice, Reminder, ExpiryNotice, ExpirySetting, Erasure, Hold, Retagging),
            parts=parts.ANSWERS,
            withheld={
                Erasure: "there only once nobody can sign in to the account any more",
                Retagging: "how far an answer has been carried out; the answer itself is in the file",
                Hold: "what staff noted for a court or a claim; that a chat is held stands with the chat",
            },
            erase=_erase_answers,
            called={"answers": _("What was shown, answered and reminded of")},
            expire=expiry.forget,
        )
    )
    holdings.register(
        holdings.Holding(
            name="deletions",
            models=(Deletion,),
            parts=parts.DELETIONS,
            erase=_erase_deletions,
            expire=_forget_deletions,
        )
    )
    holdings.register(
        holdings.Holding(
            name="exports",
            models=(Export,),
            parts=parts.EXPORTS,
            fence=_drop_exports,
            erase=_erase_exports,
            stores={files.STORE: files.forget},
            called={"exports": _("Files of their data that were made for them")},
        )
    )
    holdings.register(
        holdings.Holding(
            name="reviews",
            models=(Flag, Appeal, Letter, Reader, Reading),
            parts=parts.REVIEWS,
            withheld={
                Reader: "which staff may read what is held or under review",
                Reading: "which of them opened what; when a chat under review was opened stands with its review",
            },
            erase=_erase_reviews,
            called={"reviews": _("Safety reviews and appeals")},
            purged=(Flag, Appeal),
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
            called={"account": _("The account, its addresses and sessions")},
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
    """What people were shown, reminded and told of, holds that are over, and re-tags that are done.

    Standing and link go with the last word of the evidence (erasure.py), a hold that stands with the person's row.
    """
    over = Hold.objects.filter(user=user, released_at__isnull=False)
    done = Retagging.objects.filter(author=user, finished_at__isnull=False)
    told = [model.objects.filter(user=user) for model in (Notice, Reminder, ExpiryNotice, ExpirySetting)]
    for rows in (*told, over, done):
        yield rows.delete()[0]


def _erase_deletions(_: User) -> Iterator[int]:
    """They go with the person's row: the certificate of the account counts by them."""
    return iter(())


def _drop_exports(user: User) -> None:
    """Whoever leaves has no file any more, and none is being made."""
    asking.drop(Export.objects.filter(user=user))


def _erase_exports(user: User) -> Iterator[int]:
    yield asking.drop(Export.objects.filter(user=user))


def _forget_deletions(now: datetime) -> None:
    Deletion.objects.filter(purged_at__lt=now - LISTED).delete()


def _erase_reviews(user: User) -> Iterator[int]:
    """Appeals, e-mails and reviews that are over go. One that stands stays with its conversation, and names nobody.

    Of somebody who was staff, what they opened stays, without them.
    """
    mine = Flag.objects.of(user)
    over = mine.filter(released_at__isnull=False)
    for rows in (Appeal.objects.filter(flag__in=mine), Letter.objects.filter(user=user), over):
        yield rows.delete()[0]
    yield mine.update(person=None)
    yield Reader.objects.filter(user=user).delete()[0]
    yield Reading.objects.filter(reader=user).update(reader=None)
