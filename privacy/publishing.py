"""Publishing terms: what must hold before, and the acts themselves, each with its evidence."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import clock
from accounts.plans import PERSONAL_PLANS
from privacy import announce, ledger, versions
from privacy.canonical import moment
from privacy.models import DeadlineMove, Terms, TermsTranslation
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from accounts.models import User

MOST_POINTS = 5
COPIED = (
    *("language", "title", "summary", "body", "audience", "needs_answer", "reminder_days"),
    *("training_years", "standard_days", "temporary_hours", "deletion_hours"),
)


class NotPossible(Exception):
    """An act on terms that is refused; `reasons` say what to do."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = list(reasons)


@transaction.atomic
def publish(terms: Terms, *, by: "User", at: datetime | None = None) -> Terms:
    """Seal a draft and publish it now, or at a moment to come. Raises NotPossible; twice is refused, not doubled."""
    held = Terms.objects.select_for_update().get(pk=terms.pk)
    versions.change_newest()
    now = clock.now()
    if held.published_at:
        raise NotPossible(_("This version is published or scheduled already."))
    if at is not None and at <= now:
        raise NotPossible(_("Give a moment to come, or publish now."))
    if reasons := problems(held, at or now):
        raise NotPossible(*reasons)
    versions.seal(held, at or now)
    detail = {"version": held.slug, "at": moment(at or now)}
    ledger.record(Act.TERMS_PUBLISHED, source=Source.ADMIN, actor=by, terms=held, detail=detail)
    announce.terms_changed()
    return held


@transaction.atomic
def take_back(terms: Terms, *, by: "User") -> Terms:
    """Make a scheduled version a draft again. Raises NotPossible once it is published."""
    held = Terms.objects.select_for_update().get(pk=terms.pk)
    if held.published_at is None:
        raise NotPossible(_("This version is a draft."))
    if held.published_at <= clock.now():
        raise NotPossible(_("This version is published. It stays; publish a newer one instead."))
    detail = {"version": held.slug, "taken_back": True, "at": moment(held.published_at)}
    ledger.record(Act.TERMS_PUBLISHED, source=Source.ADMIN, actor=by, terms=held, detail=detail)
    held.published_at, held.digest = None, ""
    held.save(update_fields=["published_at", "digest"])
    return held


@transaction.atomic
def move_deadline(terms: Terms, to: datetime, reason: str, *, by: "User | None") -> DeadlineMove:
    """Give people more time, for a reason that everybody reads. Raises NotPossible for anything but a later moment."""
    held = Terms.objects.select_for_update().with_due().get(pk=terms.pk)
    now = clock.now()
    if not held.published_at or held.published_at > now or held.deadline is None:
        raise NotPossible(_("Only a published version with a deadline can have it moved."))
    due: datetime = held.due  # type: ignore[attr-defined]
    if to <= max(due, now):
        latest = date_format(localtime(max(due, now)), "j F Y, H:i")
        raise NotPossible(_("A deadline moves to a later moment only: give one after %(moment)s.") % {"moment": latest})
    if not reason.strip():
        raise NotPossible(_("Say why: everybody can read the reason on the terms' page."))
    move = DeadlineMove.objects.create(terms=held, deadline=to, reason=reason.strip())
    detail = {"version": held.slug, "from": moment(due), "to": moment(to), "reason": move.reason}
    ledger.record(Act.DEADLINE_MOVED, source=Source.ADMIN, actor=by, terms=held, detail=detail, at=move.moved_at)
    announce.terms_changed()
    return move


@transaction.atomic
def copy_as_draft(terms: Terms, slug: str) -> Terms:
    """A new draft with the text and the promises of `terms`; its moments are its own."""
    draft = Terms.objects.create(slug=slug, **{name: getattr(terms, name) for name in COPIED})
    TermsTranslation.objects.bulk_create(
        TermsTranslation(terms=draft, language=one.language, title=one.title, summary=one.summary, body=one.body)
        for one in terms.translations.all()
    )
    return draft


# --- What must hold -----------------------------------------------------------


def problems(terms: Terms, at: datetime) -> list[str]:
    """Why `terms` cannot be published at that moment, in words that say what to do; empty if they can."""
    return [*_text_problems(terms), *_audience_problems(terms), *_moment_problems(terms, at)]


def _text_problems(terms: Terms) -> list[str]:
    found = []
    variants: list[Terms | TermsTranslation] = [terms, *terms.translations.all()]
    for variant in variants:
        said = {"language": variant.language, "most": MOST_POINTS}
        points = [line for line in variant.summary.splitlines() if line.strip()]
        if not variant.title.strip() or not variant.body.strip() or not points:
            found.append(_("The text in “%(language)s” lacks a title, a summary or a body.") % said)
        elif len(points) > MOST_POINTS:
            found.append(_("The summary in “%(language)s” is too long. Say it in at most %(most)s lines.") % said)
        if variant is not terms and variant.language == terms.language:
            found.append(_("There is a variant in the original's own language. Remove it."))
    return found


def _audience_problems(terms: Terms) -> list[str]:
    if not terms.audience or set(terms.audience) - {plan.value for plan in PERSONAL_PLANS}:
        return [_("Choose at least one personal plan whose people these terms concern.")]
    return []


def _moment_problems(terms: Terms, at: datetime) -> list[str]:
    found = []
    newest = Terms.objects.filter(published_at__isnull=False).order_by("-published_at").first()
    if newest and newest.published_at and newest.published_at >= at:
        found.append(_("“%(title)s” is published later than that. Publish after it.") % {"title": newest.title})
    if terms.effective_at and terms.effective_at < at:
        found.append(_("New people cannot be asked before the publication: correct “effective at”."))
    if not terms.needs_answer:
        if terms.deadline:
            found.append(_("A version that asks nobody needs no deadline: remove it."))
        return found
    if terms.deadline is None:
        if newest:
            found.append(_("Give a deadline: people who answered an earlier version need to know how long they have."))
        return found
    notice = timedelta(days=settings.MINIMUM_NOTICE_DAYS)
    if terms.deadline < at + notice:
        days = settings.MINIMUM_NOTICE_DAYS
        found.append(
            ngettext(
                "The deadline must be at least %(days)s day after the publication.",
                "The deadline must be at least %(days)s days after the publication.",
                days,
            )
            % {"days": days}
        )
    return found
