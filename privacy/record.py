"""The ledger as one person reads it: what was shown, put off, asked, answered and withdrawn, the newest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Max
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from privacy import versions
from privacy.choices import TRAINING_ACTS
from privacy.evidence.receipt import CHOICES
from privacy.evidence.wording import despite_signal
from privacy.models import Event, Terms
from privacy.vocabulary import Source

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User


@dataclass(frozen=True)
class Version:
    """A version of the terms, as lists name it."""

    title: str
    slug: str


@dataclass(frozen=True)
class Entry:
    """What happened at one moment through one door."""

    at: datetime
    said: list[str]
    door: str
    version: Version | None
    receipt: UUID | None  # the key of the event that its receipt is under, if there is one


def moments_of(user: "User") -> "QuerySet[Event, datetime]":
    """The moments at which something was recorded about `user`, the newest first; what was done at once is one act."""
    moments = Event.objects.of(user).order_by().values("at").annotate(last=Max("pk"))
    return moments.order_by("-last").values_list("at", flat=True)


def entries(user: "User", moments: Iterable[datetime]) -> list[Entry]:
    """What was recorded about `user` at these moments, in words. Three queries at most."""
    events = list(Event.objects.of(user).filter(at__in=list(moments)))
    named = _versions({event.terms for event in events if event.terms})
    acts = groupby(events, key=lambda event: (event.at, event.source, event.terms))
    return [_entry(list(together)[::-1], named.get(terms)) for (*_rest, terms), together in acts]


def _entry(events: list[Event], version: Version | None) -> Entry:
    first = events[0]
    said = [event.sentence for event in events]
    if any(despite_signal(event.act, event.detail) for event in events):
        said.append(_("This was confirmed although the browser asked sites not to share data"))
    return Entry(first.at, said, door(first.source), version, _receipt(events))


def _receipt(events: list[Event]) -> UUID | None:
    """Any event of an act leads to the receipt of the whole; that of the answer on training, if there is one.

    Of what was no answer to terms there is none.
    """
    choices = [event for event in events if event.act in CHOICES and event.terms]
    deciding = [event for event in choices if event.act in TRAINING_ACTS]
    return next((event.key for event in deciding + choices), None)


def _versions(digests: set[str]) -> dict[str, Version]:
    language = get_language() or ""
    found = Terms.objects.filter(digest__in=digests).prefetch_related("translations") if digests else ()
    return {terms.digest: Version(versions.variant(terms, language).title, terms.slug) for terms in found}


def door(source: str) -> str:
    """Through which door an act came, in words."""
    return {
        Source.DIALOG: _("in the dialog over your conversations"),
        Source.PAGE: _("on the page of the question"),
        Source.CHAT: _("beside the answer in the chat"),
        Source.SETTINGS: _("on your privacy page"),
        Source.ADMIN: _("by the staff"),
        Source.API: _("by a program of yours"),
        Source.SWEEP: _("by itself, when it was due"),
        Source.SCHEDULE: _("by itself, on its day"),
        Source.OPERATOR: _("entered by those who run this place"),
    }.get(Source(source), "")
