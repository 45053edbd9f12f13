"""The question at first entry and whenever terms need a new answer."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.request import PersonalRequest as Request
from privacy.forms import ChoiceForm
from privacy.gate import gate_for
from privacy.views.question import next_page, question, recorded
from privacy.vocabulary import Source


@require_http_methods(["GET", "POST"])
def choice(request: Request) -> HttpResponse:
    """The question at first entry and whenever terms need a new answer, as a page of its own.

    Only a ticked box says something about the history here: silence does not end what was asked for before.
    """
    form = ChoiceForm(request.POST or None, user=request.user)
    if form.is_valid():
        keep_history = form.cleaned_data["keep_history"] or None
        if recorded(request, form, keep_history, Source.PAGE):
            return redirect(next_page(request))
        form = ChoiceForm(user=request.user)
    more = {"gate": gate_for(request.user, request.user.personal_workspace), "next": next_page(request)}
    return question(request, "privacy/choice.html", form, more)
