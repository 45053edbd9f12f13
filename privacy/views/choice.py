"""The question at first entry and whenever terms need a new answer; putting it off; taking an answer back."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.request import PersonalRequest as Request
from privacy import choices, notices, standings
from privacy.choices import Circumstances
from privacy.errors import BadAnswer, ConsentRequired, StaleAnswer, TooLateToDefer
from privacy.evidence.context import context_of
from privacy.forms import ChoiceForm, check_token
from privacy.gate import answered_here, owed_here
from privacy.models import Standing
from privacy.views.question import (
    KEPT,
    UNDO_SALT,
    asks_not_to_share,
    confirm,
    confirmation,
    in_fragments,
    kept_words,
    next_page,
    notice_of,
    question,
    sent,
    take,
)
from privacy.vocabulary import Source, Training

UNDO_WITHIN = timedelta(hours=1)
MADE = "Parley-Choice"  # the header that tells a script whether the answer is recorded


@require_http_methods(["GET", "POST"])
def choice(request: Request) -> HttpResponse:
    """The question, on a page of its own or as the dialog's content (`X-Requested-With: fetch`).

    Only a ticked box says something about the history here: silence does not end what was asked for before.
    """
    form = ChoiceForm(sent(request), user=request.user)
    source = _source(request)
    if not form.is_valid():
        return _asked(request, form, source)
    taken = take(request, form, form.cleaned_data["keep_history"] or None, source)
    if taken.confirm:
        return asked_once_more(request, form, source)
    if taken.choice is None:
        return _asked(request, ChoiceForm(user=request.user), source, why=taken.why)
    if in_fragments(request):
        return HttpResponse(confirmation(request, taken.choice), headers={MADE: "recorded"})
    confirm(request, taken.choice)
    return _onward(request)


@require_POST
def defer(request: Request) -> HttpResponse:
    """Not now: before the deadline only, and the dialog comes back after a day."""
    try:
        shown = check_token(request.POST.get("token", ""), request.user)
        notice = notice_of(request.user, shown)
        if notice is None or notice.terms != standings.owed_terms(request.user):
            raise StaleAnswer
        until = notices.defer(request.user, notice, context=context_of(request))
    except StaleAnswer:
        return _asked_anew(request, _("This page was open for too long. Here is the current question."))
    except TooLateToDefer:
        return _asked_anew(request, _("There is nothing left to put off. Please see the question below."))
    if in_fragments(request):
        return HttpResponse(headers={MADE: "deferred"}, status=204)
    day = date_format(localtime(until), "j F Y, H:i")
    messages.info(request, _("Nothing is decided yet. You have until %(day)s.") % {"day": day})
    return _onward(request)


@require_POST
def undo(request: Request) -> HttpResponse:
    """Take the last answer back: a new choice of its own, which says what the answer before said."""
    try:
        to = signing.loads(request.POST.get("undo", ""), salt=UNDO_SALT, max_age=UNDO_WITHIN)
        terms = standings.owed_terms(request.user)
        standing = Standing.objects.filter(user=request.user).first()
        if standing is None or terms is None or to["person"] != str(request.user.public_id):
            raise StaleAnswer
        if standing.state != to["state"] or standing.terms != terms:  # taking back accepts no newer terms
            raise StaleAnswer
        gpc = asks_not_to_share(request)
        made = choices.choose(
            user=request.user,
            terms=terms,
            training=Training(to["training"]) if to["training"] else None,
            keep_history=to["keep_history"],
            source=Source.PAGE,
            given=Circumstances(gpc=gpc, context=context_of(request)),  # nobody is asked once more here
            seen=to["state"],
        )
    except (signing.BadSignature, StaleAnswer, BadAnswer):
        messages.warning(request, _("That can no longer be undone here. You can change your answer on this page."))
        return redirect("privacy:settings")
    answered_here(request)
    confirm(request, made)
    return redirect(next_page(request))


# --- Pages --------------------------------------------------------------------


def _asked(request: Request, form: ChoiceForm, source: Source, why: str = "") -> HttpResponse:
    template = "privacy/_question.html" if in_fragments(request) else "privacy/choice.html"
    return question(request, template, form, _more(request) | {"why": why}, source)


def _asked_anew(request: Request, why: str) -> HttpResponse:
    """The question as it stands now, in the place of the one that could not be put off."""
    if in_fragments(request) or kept_words(request):
        return _asked(request, ChoiceForm(user=request.user), _source(request), why)
    messages.warning(request, why)
    return redirect("privacy:choice")


def _source(request: Request) -> Source:
    """Where the question is put: it says so itself, in its form and in the dialog's address."""
    said = request.POST.get("source") or request.GET.get("source")
    return Source.DIALOG if said == Source.DIALOG else Source.PAGE


def asked_once_more(request: Request, form: ChoiceForm, source: Source) -> HttpResponse:
    """An Allow against the browser's wish is confirmed in words; it wins, and so does thinking better of it."""
    template = "privacy/_despite_gpc.html" if in_fragments(request) else "privacy/despite_gpc.html"
    more = {"token": request.POST["token"], "keep_history": form.cleaned_data["keep_history"], "source": source.value}
    more["action"] = reverse("privacy:settings" if source is Source.SETTINGS else "privacy:choice")
    return render(request, template, _more(request) | more)


def _more(request: Request, kept: Mapping[str, str] | None = None) -> dict[str, Any]:
    gate = owed_here(request)
    kept = kept_words(request) if kept is None else kept
    return {"gate": gate, "next": next_page(request), "kept_words": [(KEPT + name, kept[name]) for name in kept]}


def instead_of(request: Request, error: ConsentRequired) -> HttpResponse:
    """The question in place of what a form was sent for; what was in the form is carried along and comes back."""
    kept = {name: str(value) for name, value in request.POST.items() if name != "csrfmiddlewaretoken"}
    kept["door"] = request.path
    form = ChoiceForm(user=request.user)
    return question(
        request, "privacy/choice.html", form, _more(request, kept) | {"why": error.message}, Source.PAGE, status=403
    )


def _onward(request: Request) -> HttpResponse:
    """The page that was wanted; or what the gate stopped, ready to be sent by whoever wrote it."""
    words = dict(kept_words(request))
    door = words.pop("door", "")
    if not _is_gated(door):
        return redirect(next_page(request))
    return render(request, "privacy/ready.html", {"door": door, "words": words, "elsewhere": reverse("chat:new")})


def _is_gated(path: str) -> bool:
    """Whether a turn may begin at that address of ours: nothing else takes words that the gate stopped."""
    try:
        return getattr(resolve(path).func, "gate", "") == "gated"
    except Resolver404:
        return False
