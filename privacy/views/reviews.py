"""A safety review on its own page, for the author of the conversation, who may appeal there. It is never gated."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.request import PersonalRequest as Request
from privacy import appeals, reviews
from privacy.evidence.context import context_of
from privacy.views.question import sent


@require_http_methods(["GET", "POST"])
def review(request: Request, review: UUID) -> HttpResponse:
    """What is told, the appeal and its answer; an appeal is sent here, from this page or the one that says why."""
    found = reviews.review_for(request.user, review)
    form = reviews.AppealForm(sent(request))
    if request.method == "POST" and (form.is_valid() or not found.may_appeal):
        return _appealed(request, review, form.cleaned_data.get("text", ""))
    context = {"detailed": reviews.detailed(found), "review": found, "form": form}
    return render(request, "privacy/review.html", context, status=422 if form.errors else 200)


def _appealed(request: Request, review: UUID, text: str) -> HttpResponse:
    try:
        appeals.appeal(request.user, review=review, text=text, context=context_of(request))
    except appeals.AlreadyAppealed:
        messages.warning(request, _("You have appealed against this review already. Your first appeal stands."))
    except appeals.AlreadyEnded:
        messages.info(request, _("This review has ended meanwhile. There is nothing left to appeal against."))
    else:
        messages.success(request, _("Your appeal is with the staff. You will be told of the answer by e-mail."))
    return redirect("privacy:review", review)
