"""Showing the question: in which form a person sees it, that it was shown, and putting it off.

What was shown is evidence and goes to the ledger once for each form; `Notice` rows are what pages and figures read.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils.translation import get_language

from accounts import clock
from privacy import ledger, versions
from privacy.errors import TooLateToDefer
from privacy.gate import Answer, gate_for
from privacy.models import Notice, Terms, TermsTranslation
from privacy.policy import Gate
from privacy.vocabulary import Act, Order, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models import User

PUT_OFF = timedelta(days=1)  # how long a person who answered "not now" is left in peace


@dataclass(frozen=True)
class Form:
    """In which form a person is shown a version: where, which answer first, in which language."""

    source: Source
    order: Order
    language: str


def form_for(user: "User", terms: Terms, source: Source) -> tuple[Form, Terms | TermsTranslation]:
    """The form in which `user` is shown `terms`, and the text in their language or the original's."""
    text = versions.variant(terms, get_language() or terms.language)
    return Form(source, order_for(user), text.language), text


def order_for(user: "User") -> Order:
    """Which answer stands first: random per person, and the same for ever."""
    return list(Order)[hashlib.sha256(user.public_id.bytes).digest()[0] % 2]


def shown(
    user: "User", terms: Terms, form: Form, *, gpc: bool = False, context: "Mapping[str, str] | None" = None
) -> Notice:
    """Record, once for each form, that `user` was shown `terms` in it, and a browser that asked not to share data."""
    known = Notice.objects.filter(
        user=user, terms=terms, source=form.source, order=form.order, language=form.language
    ).first()
    if known and (known.gpc or not gpc):
        return known
    with transaction.atomic():
        notice = known or _recorded(user, terms, form, context)
        if gpc and Notice.objects.filter(pk=notice.pk, gpc=False).update(gpc=True):
            ledger.record(
                Act.GPC_SEEN, source=form.source, subject=user, actor=user, terms=terms, context=context or {}
            )
            notice.gpc = True
    return notice


def _recorded(user: "User", terms: Terms, form: Form, context: "Mapping[str, str] | None") -> Notice:
    """The notice with its evidence; two pages that open at once leave one of each."""
    subject = ledger.subject_key(user)
    ledger.hold(subject)
    fields = {"user": user, "terms": terms, "source": form.source, "order": form.order, "language": form.language}
    if known := Notice.objects.filter(**fields).first():
        return known
    detail = {
        "order": form.order.value,
        "language": form.language,
        "text": versions.text_digest(terms, form.language),
    }
    event = ledger.record(
        Act.NOTICE_SHOWN, source=form.source, subject=user, actor=user, terms=terms, detail=detail, context=context
    )
    return Notice.objects.create(**fields, event=event.key)


# --- Putting it off -----------------------------------------------------------


def put_off_until(user: "User", terms: Terms) -> datetime | None:
    """Until when `user` is not shown the dialog again; None if they have not put it off, or may be asked again."""
    last = Notice.objects.filter(user=user, terms=terms).aggregate(last=Max("deferred_at"))["last"]
    until = last + PUT_OFF if last else None
    return until if until and until > clock.now() else None


def should_ask(user: "User", terms: Terms, answer: Answer) -> bool:
    """Whether the dialog opens by itself: always where nothing can be asked, else once a day at most."""
    return answer.gate is Gate.STOP or (answer.gate is Gate.ASK and put_off_until(user, terms) is None)


@transaction.atomic
def defer(user: "User", notice: Notice, *, context: "Mapping[str, str] | None" = None) -> datetime:
    """Put the answer off; returns until when there is time. Raises TooLateToDefer where there is none.

    Twice within a day is once: the person is asked again a day after the first.
    """
    ledger.hold(ledger.subject_key(user))
    answer = gate_for(user, user.personal_workspace)
    if answer.gate is not Gate.ASK or answer.deadline is None:
        raise TooLateToDefer
    if put_off_until(user, notice.terms) is None:
        now = clock.now()
        Notice.objects.filter(pk=notice.pk).update(deferred_at=now, deferrals=notice.deferrals + 1)
        detail = {"notice": str(notice.event), "language": notice.language}
        ledger.record(
            Act.DEFERRED,
            source=Source(notice.source),
            subject=user,
            actor=user,
            terms=notice.terms,
            detail=detail,
            context=context,
        )
    return answer.deadline
