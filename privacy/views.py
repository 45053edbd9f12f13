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
from privacy.errors import StaleAnswer
from privacy.forms import ChoiceForm, check_token, options, token_for
from privacy.gate import gate_for
from privacy.models import Event, Standing, Terms
from privacy.prose import retention_table, to_html
from privacy.vocabulary import Act, Source

STALE = "The terms changed, or this page was open for too long. Nothing was recorded; here is the current text."


@require_http_methods(["GET", "POST"])
def choice(request: Request) -> HttpResponse:
    """The question at first entry and whenever terms need a new answer, as a page of its own."""
    terms = standings.owed_terms()
    if terms is None:
        return render(request, "privacy/choice.html", {"terms": None}, status=503)
    form = ChoiceForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            _answer(request, form, terms, Source.CHOICE_PAGE)
        except StaleAnswer:
            form = ChoiceForm(user=request.user)
            messages.warning(request, STALE)
        else:
            return redirect(_next(request))
    return render(
        request,
        "privacy/choice.html",
        {
            **_question(request, form, terms),
            "gate": gate_for(request.user, request.user.personal_workspace),
            "deadline": terms.deadline,
            "next": _next(request),
        },
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
def settings(request: Request) -> HttpResponse:
    """What applies now, because of which answer, and two equal ways to change it."""
    terms = standings.owed_terms()
    if terms is None:
        return render(request, "privacy/choice.html", {"terms": None}, status=503)
    form = ChoiceForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            _answer(request, form, terms, Source.SETTINGS)
        except StaleAnswer:
            messages.warning(request, STALE)
        return redirect("privacy:settings")
    standing = Standing.objects.select_related("terms").filter(user=request.user).first()
    acts = [Act.NOTICE_SHOWN.value]
    return render(
        request,
        "privacy/settings.html",
        {
            **_question(request, form, terms),
            "standing": standing,
            "history": Event.objects.of(request.user).exclude(act__in=acts),
            "schedule": retention_table(standing.terms if standing and standing.terms else terms),
            "consequences": consequences(request.user),
        },
        status=422 if form.errors else 200,
    )


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


def _question(request: Request, form: ChoiceForm, terms: Terms) -> dict[str, Any]:
    return {
        "terms": terms,
        "options": options(request.user, terms),
        "form": form,
        "token": token_for(request.user, terms),
    }


def _answer(request: Request, form: ChoiceForm, terms: Terms, source: Source) -> None:
    check_token(request.POST.get("token", ""), request.user, terms)
    now = choices.choose(
        user=request.user,
        terms=terms,
        training=form.answer,
        keep_history=form.cleaned_data["keep_history"],
        source=source,
    )
    chosen = f"You chose “{now.training.words}”." if now.training else "You accepted the terms."
    messages.success(request, f"{chosen} You can change this at any time on your privacy page.")


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else reverse("chat:new")
