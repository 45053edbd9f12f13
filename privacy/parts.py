"""What people are given of their account and of what they answered (docs/export.md)."""

from collections.abc import Iterator
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, User, Workspace
from privacy import ledger
from privacy.evidence.receipt import CHOICES
from privacy.holdings import Part
from privacy.models import (
    Appeal,
    Deletion,
    Event,
    ExpiryNotice,
    ExpirySetting,
    Export,
    Flag,
    Letter,
    Notice,
    Reading,
    Reminder,
    Standing,
    Subject,
)
from privacy.portability import paged
from privacy.vocabulary import Act


def account(user: User) -> dict[str, Any]:
    addresses = EmailAddress.objects.filter(user=user).order_by("pk")
    return {
        "id": user.public_id,
        "email": user.email,
        "addresses": list(addresses.values("email", "primary", "verified")),
        "name": user.display_name,
        "language": user.locale,
        "time_zone": user.time_zone,
        "region": user.region,
        "date_of_birth": user.date_of_birth,
        "refused_for_age_at": user.age_refused_at,
        "staff": user.is_staff,
        "joined_at": user.joined_at,
        "last_signed_in_at": user.last_login,
    }


def workspaces(user: User) -> Iterator[dict[str, Any]]:
    """Where the person works, and as what. Who else does is the others' business."""
    for membership in paged(Membership.objects.filter(user=user).select_related("workspace")):
        workspace = membership.workspace
        yield {
            "id": workspace.public_id,
            "name": workspace.name,
            "kind": workspace.kind,
            "plan": workspace.plan,
            "overrides": workspace.overrides if workspace.is_personal else None,
            "role": membership.role,
            "joined_at": membership.joined_at,
        }


def standing(user: User) -> dict[str, Any] | None:
    row = Standing.objects.whole().filter(user=user).first()
    if row is None:
        return None
    return {
        "terms": row.terms and row.terms.slug,
        "training": row.training,
        "despite_gpc": row.despite_gpc,
        "keep_history": row.keep_history,
        "epoch": row.epoch,
        "since": row.since,
        "adult_since": user.adult_since(),
    }


def notices(user: User) -> Iterator[dict[str, Any]]:
    for notice in paged(Notice.objects.filter(user=user).select_related("terms")):
        yield {
            "terms": notice.terms.slug,
            "shown_at": notice.shown_at,
            "source": notice.source,
            "order": notice.order,
            "language": notice.language,
            "gpc": notice.gpc,
            "put_off_at": notice.deferred_at,
            "put_off": notice.deferrals,
            "event": notice.event,
        }


def reminders(user: User) -> Iterator[dict[str, Any]]:
    for reminder in paged(Reminder.objects.filter(user=user).select_related("terms")):
        yield {
            "terms": reminder.terms.slug,
            "deadline": reminder.deadline,
            "days_before": reminder.days,
            "message_id": reminder.message_id,
            "sent_at": reminder.sent_at,
        }


def expiry(user: User) -> dict[str, Any]:
    """What they want to hear of chats that end soon, and the e-mails about them."""
    setting = ExpirySetting.objects.filter(user=user).first() or ExpirySetting(user=user)
    return {"mails": setting.mails, "put_away_until": setting.seen_until, "digests": map(_digest, paged(_told(user)))}


def _told(user: User) -> Any:
    return ExpiryNotice.objects.filter(user=user)


def _digest(notice: ExpiryNotice) -> dict[str, Any]:
    return {
        "day": notice.day,
        "told_until": notice.week_until,
        "told_again_until": notice.day_until,
        "message_id": notice.message_id,
        "sent_at": notice.sent_at,
    }


def reviews(user: User) -> Iterator[dict[str, Any]]:
    """What the person was told of reviews of their conversations, and what they said to it."""
    for flag in paged(Flag.objects.of(user).select_related("appeal")):
        letters = Letter.objects.filter(user=user, about=flag.public_id).order_by("pk")
        opened = Reading.objects.filter(kind=flag.kind, key=flag.key).order_by("pk")
        appeal: Appeal | None = getattr(flag, "appeal", None)
        yield {
            "id": flag.public_id,
            "conversation": flag.key,
            "told": flag.told,
            "flagged_at": flag.flagged_at,
            "ended_at": flag.released_at,
            "appeal": appeal and _appeal(appeal),
            "letters": list(letters.values("what", "message_id", "sent_at")),
            "opened_at": list(opened.values_list("at", flat=True)),
        }


def _appeal(appeal: Appeal) -> dict[str, Any]:
    return {
        "text": appeal.text,
        "made_at": appeal.made_at,
        "answer": appeal.answer or None,
        "answer_told": appeal.told,
        "answered_at": appeal.answered_at,
    }


def evidence(user: User) -> dict[str, Any]:
    """What the ledger says about the person, and under which number."""
    subject = ledger.subject_key(user)
    return {"origin": settings.LEDGER_ORIGIN, "subject": subject, "events": map(_event, paged(_about(subject)))}


def _about(subject: Any) -> Any:
    return Event.objects.filter(subject=subject)


def _event(event: Event) -> dict[str, Any]:
    has_receipt = event.act in CHOICES
    receipt = settings.LINK_ORIGIN + reverse("privacy:receipt_document", args=[event.key]) if has_receipt else None
    return {
        "key": event.key,
        "at": event.at,
        "act": event.act,
        "in_words": Act(event.act).sentence,
        "source": event.source,
        "terms": event.terms,
        "detail": event.detail,
        "context": event.context,
        "hash": event.hash,
        "receipt": receipt,
    }


def deletions(user: User) -> Iterator[dict[str, Any]]:
    """What was deleted and is purged has no name any more."""
    for one in paged(Deletion.objects.filter(user=user)):
        yield {
            "id": one.key,
            "deleted_at": one.deleted_at,
            "purged_at": one.purged_at,
            "certificate": reverse("privacy:certificate_document", args=[one.key]),
        }


def exports(user: User) -> Iterator[dict[str, Any]]:
    """The file that was asked for last; what it is in says of itself that it is being made."""
    for one in paged(Export.objects.filter(user=user)):
        yield {
            "id": one.public_id,
            "state": one.state,
            "asked_at": one.asked_at,
            "made_at": one.made_at,
            "expires_at": one.expires_at,
            "fetched_at": one.fetched_at,
            "bytes": one.bytes,
            "sha256": one.sha256 or None,
        }


ACCOUNT = (
    Part("account", _("your account and its settings"), (User, EmailAddress), account),
    Part("workspaces", _("the workspaces you are in, and your part in them"), (Workspace, Membership), workspaces),
)
ANSWERS = (
    Part("standing", _("what applies now, by your last answer"), (Standing,), standing),
    Part("notices", _("when and how you were shown terms and the question"), (Notice,), notices),
    Part("reminders", _("the e-mails that reminded you of it"), (Reminder,), reminders),
    Part(
        "ends",
        _("the e-mails about chats that end soon, and whether you want them"),
        (ExpiryNotice, ExpirySetting),
        expiry,
    ),
    Part("ledger", _("what the ledger says about you, with the addresses of your receipts"), (Subject,), evidence),
)
DELETIONS = (
    Part(
        "deletions", _("what you deleted within a year, with the addresses of the certificates"), (Deletion,), deletions
    ),
)
REVIEWS = (
    Part(
        "reviews",
        _("safety reviews of your chats: what you were told, and your appeals with their answers"),
        (Flag, Appeal, Letter),
        reviews,
    ),
)
EXPORTS = (Part("exports", _("the file of your data that you asked for last"), (Export,), exports),)
