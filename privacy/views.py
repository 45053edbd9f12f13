"""The pages of consent: the question, the settings, the terms."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_safe

from accounts import clock
from accounts.request import PersonalRequest as Request
from privacy import choices, standings
from privacy.consequences import consequences
from privacy.errors import BadAnswer, StaleAnswer
from privacy.forms import ChoiceForm, check_token, options, token_for
from privacy.gate import gate_for
from privacy.models import Event, Standing, Terms
from privacy.prose import retention_table, to_html
from privacy.vocabulary import Source

STALE = (
    "The terms or your details changed, or this page was open for too long. "
    "Nothing was recorded; here is the current question."
)


@require_http_methods(["GET", "POST"])
def choice(request: Request) -> HttpResponse:
    """The question at first entry and whenever terms need a new answer, as a page of its own.

    Only a ticked box says something about the history here: silence does not end what was asked for before.
    """
    form = ChoiceForm(request.POST or None, user=request.user)
    if form.is_valid():
        keep_history = form.cleaned_data["keep_history"] or None
        if _recorded(request, form, keep_history, Source.PAGE):
            return redirect(_next(request))
        form = ChoiceForm(user=request.user)
    more = {"gate": gate_for(request.user, request.user.personal_workspace), "next": _next(request)}
    return _question(request, "privacy/choice.html", form, more)


@require_http_methods(["GET", "POST"])
def settings(request: Request) -> HttpResponse:
    """What applies now, because of which answer, and two equal ways to change it."""
    form = ChoiceForm(request.POST or None, user=request.user)
    if form.is_valid():
        if _recorded(request, form, form.cleaned_data["keep_history"], Source.SETTINGS):
            return redirect("privacy:settings")
        form = ChoiceForm(user=request.user)
    more = {"history": Event.objects.of(request.user), "consequences": consequences(request.user)}
    return _question(request, "privacy/settings.html", form, more)


@login_not_required
@require_safe
def terms_list(request: HttpRequest) -> HttpResponse:
    return render(request, "privacy/terms_list.html", {"versions": Terms.objects.published(clock.now())})


@login_not_required
@require_safe
def terms(request: HttpRequest, slug: str) -> HttpResponse:
    """One version of the terms; `current` is the newest."""
    published = Terms.objects.published(clock.now())
    version = published.first() if slug == "current" else get_object_or_404(published, slug=slug)
    if version is None:
        return redirect("privacy:terms_list")
    return render(
        request,
        "privacy/terms.html",
        {"terms": version, "body": to_html(version.body), "schedule": retention_table(version)},
    )


def _question(request: Request, template: str, form: ChoiceForm, more: dict[str, Any]) -> HttpResponse:
    """A page that puts the terms owed now and the training question."""
    terms = standings.owed_terms(request.user)
    if terms is None:
        return render(request, "privacy/choice.html", {"terms": None}, status=503)
    standing = Standing.objects.whole().filter(user=request.user).first()
    context = {
        "terms": terms,
        "standing": standing,
        "schedule": retention_table(standing.terms if standing and standing.terms else terms),
        "options": options(request.user, terms),
        "form": form,
        "token": token_for(request.user, terms),
    }
    return render(request, template, context | more, status=422 if form.errors else 200)


def _recorded(request: Request, form: ChoiceForm, keep_history: bool | None, source: Source) -> bool:
    """Record the answer in a valid form; False, with a word to the person, if it fits no question that stands now."""
    terms = standings.owed_terms(request.user)
    try:
        if terms is None:
            raise StaleAnswer
        check_token(request.POST.get("token", ""), request.user, terms)
        now = choices.choose(
            user=request.user, terms=terms, training=form.answer, keep_history=keep_history, source=source
        )
    except (StaleAnswer, BadAnswer):
        request.user.refresh_from_db()  # the age may have been corrected since this request began
        messages.warning(request, STALE)
        return False
    chosen = f"You chose “{now.training.words}”." if now.training else "You accepted the terms."
    messages.success(request, f"{chosen} You can change this at any time on your privacy page.")
    return True


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else reverse("chat:new")
