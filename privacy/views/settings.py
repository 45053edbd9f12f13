"""The privacy page."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.request import PersonalRequest as Request
from privacy.consequences import consequences
from privacy.forms import ChoiceForm
from privacy.models import Event
from privacy.views.choice import asked_once_more
from privacy.views.question import confirm, question, sent, take
from privacy.vocabulary import Source


@require_http_methods(["GET", "POST"])
def settings(request: Request) -> HttpResponse:
    """What applies now, because of which answer, and two equal ways to change it."""
    form, why = ChoiceForm(sent(request), user=request.user), ""
    if form.is_valid():
        taken = take(request, form, form.cleaned_data["keep_history"], Source.SETTINGS)
        if taken.choice:
            confirm(request, taken.choice)
            return redirect("privacy:settings")
        if taken.confirm:
            return asked_once_more(request, form, Source.SETTINGS)
        form, why = ChoiceForm(user=request.user), taken.why
    more = {"history": Event.objects.of(request.user), "consequences": consequences(request.user), "why": why}
    return question(request, "privacy/settings.html", form, more, Source.SETTINGS)
