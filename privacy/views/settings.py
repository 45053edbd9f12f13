"""The privacy page: what applies and why, two equal ways to change it, and the lists that it leads to."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.request import PersonalRequest as Request
from privacy import record
from privacy.forms import ChoiceForm
from privacy.overview import overview
from privacy.views.choice import asked_once_more
from privacy.views.question import confirm, in_fragments, question_context, sent, take
from privacy.vocabulary import Source

A_PAGE = 50  # entries


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
    return _page(request, form, why)


def _page(request: Request, form: ChoiceForm, why: str) -> HttpResponse:
    """The whole page, or for a script that keeps an open one true, its content alone."""
    context = question_context(request, form, Source.SETTINGS)
    if context is None:
        return render(request, "privacy/choice.html", {"terms": None}, status=503)
    more = overview(
        request.user, context["standing"], context["terms"], context["options"], request.workspaces, gpc=context["gpc"]
    )
    template = "privacy/_overview.html" if in_fragments(request) else "privacy/settings.html"
    return render(request, template, context | more | {"why": why}, status=422 if form.errors else 200)


@require_safe
def history(request: Request) -> HttpResponse:
    """Everything that the ledger has about somebody, as they read it."""
    page = Paginator(record.moments_of(request.user), A_PAGE).get_page(request.GET.get("page"))
    entries = record.entries(request.user, page.object_list)
    return render(request, "privacy/history.html", {"page": page, "record": entries})
