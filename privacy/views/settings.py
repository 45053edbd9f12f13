"""The privacy page."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.request import PersonalRequest as Request
from privacy.consequences import consequences
from privacy.forms import ChoiceForm
from privacy.models import Event
from privacy.views.question import question, recorded
from privacy.vocabulary import Source


@require_http_methods(["GET", "POST"])
def settings(request: Request) -> HttpResponse:
    """What applies now, because of which answer, and two equal ways to change it."""
    form = ChoiceForm(request.POST or None, user=request.user)
    if form.is_valid():
        if recorded(request, form, form.cleaned_data["keep_history"], Source.SETTINGS):
            return redirect("privacy:settings")
        form = ChoiceForm(user=request.user)
    more = {"history": Event.objects.of(request.user), "consequences": consequences(request.user)}
    return question(request, "privacy/settings.html", form, more)
