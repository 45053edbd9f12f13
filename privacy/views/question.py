"""Putting the question and taking the answer: what the choice page and the privacy page share."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.request import PersonalRequest as Request
from privacy import choices, standings
from privacy.errors import BadAnswer, StaleAnswer
from privacy.forms import ChoiceForm, check_token, options, token_for
from privacy.models import Standing
from privacy.prose import retention_table
from privacy.vocabulary import Source

STALE = (
    "The terms or your details changed, or this page was open for too long. "
    "Nothing was recorded; here is the current question."
)


def question(request: Request, template: str, form: ChoiceForm, more: dict[str, Any]) -> HttpResponse:
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


def recorded(request: Request, form: ChoiceForm, keep_history: bool | None, source: Source) -> bool:
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


def next_page(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else reverse("chat:new")
