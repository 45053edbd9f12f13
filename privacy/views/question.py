"""Putting the question and taking the answer: what the dialog, the choice page and the privacy page share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.request import PersonalRequest as Request
from accounts.targets import target
from privacy import choices, notices, standings
from privacy.choices import Choice, Circumstances
from privacy.errors import BadAnswer, StaleAnswer
from privacy.evidence.context import context_of
from privacy.forms import ChoiceForm, Shown, check_token, options, token_for
from privacy.gate import Answer, answered_here
from privacy.models import Notice, Standing, Terms
from privacy.policy import Gate
from privacy.prose import retention_table
from privacy.vocabulary import Source, Training

UNDO_SALT = "privacy.undo"
CHOSEN = 26  # the level of a message that confirms a choice: a success with Undo and Receipt


def asks_not_to_share(request: HttpRequest) -> bool:
    """Whether the browser sends Global Privacy Control (globalprivacycontrol.org, section 3.3)."""
    return request.headers.get("Sec-GPC") == "1"


def in_fragments(request: HttpRequest) -> bool:
    """Whether a script asks, which puts what it gets into the page."""
    return request.headers.get("X-Requested-With") == "fetch"


# --- Putting it ---------------------------------------------------------------


def question_context(request: Request, form: ChoiceForm, source: Source) -> dict[str, Any] | None:
    """What the question's templates need; None where no terms are published. Records that it was shown."""
    terms = standings.owed_terms(request.user)
    if terms is None:
        return None
    standing = Standing.objects.whole().filter(user=request.user).first()
    shown_as, text = notices.form_for(request.user, terms, source)
    notice = None
    if standing is None or standing.terms != terms:
        notice = notices.shown(
            request.user, terms, shown_as, gpc=asks_not_to_share(request), context=context_of(request)
        )
    return {
        "terms": terms,
        "text": text,
        "points": [line.strip() for line in text.summary.splitlines() if line.strip()],
        "earlier": _before(terms),
        "standing": standing,
        "schedule": retention_table(standing.terms if standing and standing.terms else terms),
        "options": options(request.user, terms),
        "form": form,
        "token": token_for(request.user, terms, standing, notice),
        "gpc": asks_not_to_share(request),
        "source": source.value,
    }


def _before(terms: Terms) -> Terms | None:
    """The version before, which there is a comparison with."""
    assert terms.published_at is not None
    return Terms.objects.filter(published_at__lt=terms.published_at).order_by("-published_at", "-pk").first()


def question(
    request: Request, template: str, form: ChoiceForm, more: dict[str, Any], source: Source, status: int = 200
) -> HttpResponse:
    """A page that puts the terms owed now and the training question."""
    context = question_context(request, form, source)
    if context is None:
        return render(request, "privacy/choice.html", {"terms": None}, status=503)
    return render(request, template, context | more, status=422 if form.errors else status)


def dialog(request: Request, gate: Answer) -> str:
    """The question as a dialog over another page: open where it is to be put now, else empty until it is asked for.

    Nothing where nothing is owed; a new person is taken to the page of its own.
    """
    if gate.gate is Gate.OPEN or gate.newcomer:
        return ""
    terms = standings.owed_terms(request.user)
    if terms is None:
        return ""
    context = {"gate": gate, "next": request.path, "asks": ""}
    if notices.should_ask(request.user, terms, gate):
        form = ChoiceForm(user=request.user)
        context |= {**(question_context(request, form, Source.DIALOG) or {}), "asks": gate.gate.value}
    return render_to_string("privacy/_dialog.html", context, request)


# --- Taking the answer --------------------------------------------------------


def sent(request: HttpRequest) -> QueryDict | None:
    """The form that was sent, be it empty; None where the page was only asked for."""
    return request.POST if request.method == "POST" else None


@dataclass(frozen=True)
class Taken:
    """What became of an answer that was sent. One of: it is recorded, it must be confirmed, or it was refused."""

    choice: Choice | None = None
    confirm: bool = False
    why: str = ""


def take(request: Request, form: ChoiceForm, keep_history: bool | None, source: Source) -> Taken:
    """Record the answer in a valid form, if it fits a question that stands now."""
    gpc = asks_not_to_share(request)
    try:
        shown = check_token(request.POST.get("token", ""), request.user)
        against = gpc and form.answer is Training.ALLOW
        if against and not form.cleaned_data["despite_gpc"] and not _stands(request.user, shown):
            return Taken(confirm=True)
        notice = notice_of(request.user, shown)
        choice = choices.choose(
            user=request.user,
            terms=notice.terms if notice else terms_shown(shown),
            training=form.answer,
            keep_history=keep_history,
            source=source,
            given=Circumstances(notice, gpc, against, context_of(request)),
            seen=shown.state,
        )
    except (StaleAnswer, BadAnswer) as refused:
        request.user.refresh_from_db()  # the age may have been corrected since this request began
        elsewhere = isinstance(refused, StaleAnswer) and refused.elsewhere
        return Taken(why=_elsewhere() if elsewhere else _stale())
    answered_here(request)
    return Taken(choice)


def _stands(user: User, shown: Shown) -> bool:
    """Whether an Allow against the browser's wish has been confirmed already under these terms, and still stands."""
    return Standing.objects.filter(user=user, terms__digest=shown.terms, despite_gpc=True).exists()


def terms_shown(shown: Shown) -> Terms:
    """The version that a token was made for. Raises StaleAnswer if there is none; whether it is owed is not asked."""
    terms = Terms.objects.filter(digest=shown.terms).first()
    if terms is None:
        raise StaleAnswer
    return terms


def notice_of(user: User, shown: Shown) -> Notice | None:
    """The notice that a token was made with; None where nothing new was asked."""
    if not shown.notice:
        return None
    made = Notice.objects.select_related("terms").filter(user=user, terms__digest=shown.terms, event=shown.notice)
    return made.first()


def _stale() -> str:
    return _(
        "The terms or your details changed, or this page was open for too long. "
        "Nothing was recorded; here is the current question."
    )


def _elsewhere() -> str:
    return _(
        "You have answered in another tab or on another device since this page was opened. "
        "Nothing was recorded here; this is what stands now."
    )


# --- Confirming it ------------------------------------------------------------


def confirm(request: Request, choice: Choice) -> None:
    """Say what was chosen on the next page, with a way back and the proof."""
    if choice.event is None:
        messages.success(request, _said(choice))
        return
    messages.add_message(request, CHOSEN, _said(choice), extra_tags=_tags(choice))


def confirmation(request: Request, choice: Choice) -> str:
    """The same as a piece of HTML, for a script."""
    context = {"text": _said(choice), "tags": _tags(choice) if choice.event else "", "chosen": choice.event is not None}
    return render_to_string("_toast.html", context, request)


def _said(choice: Choice) -> str:
    training = choice.now.answer
    chosen = _("You chose “%(answer)s”.") % {"answer": training.words} if training else _("You accepted the terms.")
    return chosen + " " + _("You can change this at any time on your privacy page.")


def _tags(choice: Choice) -> str:
    """What the confirmation's links need: the receipt's event, and what undoing would do. Read by a template filter."""
    assert choice.event is not None
    now, before = choice.now, choice.before
    back = choices.undoes_to(before, now.answer)
    undo = ""
    if (back, before.keep_history) != (now.answer, now.keep_history) and (back or now.answer is None):
        undo = signing.dumps(
            {
                "person": str(now.user.public_id),
                "state": now.state,
                "training": back.value if back else None,
                "keep_history": before.keep_history,
            },
            salt=UNDO_SALT,
        )
    return f"{choice.event.key} {undo}".strip()


def next_page(request: HttpRequest) -> str:
    return target(request, request.POST.get("next") or request.GET.get("next") or "") or reverse("chat:new")


def kept_words(request: HttpRequest) -> Mapping[str, str]:
    """What a refused form had in it, carried along while the question is answered."""
    return {name.removeprefix(KEPT): str(value) for name, value in request.POST.items() if name.startswith(KEPT)}


KEPT = "kept-"
