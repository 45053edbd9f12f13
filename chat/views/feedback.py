"""Thumbs under an answer, what is said beside them, and the list of one's own. Nothing of it begins a turn."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.request import PersonalRequest
from accounts.targets import target
from chat.access import conversations_of, message_for
from chat.errors import BadFrame, Refused
from chat.feedback import acts, asking
from chat.feedback.form import FeedbackForm
from chat.models import Feedback
from chat.models.feedback import Thumb
from privacy.evidence.context import context_of
from privacy.middleware import open_always, wants_json
from privacy.standings import standing_of
from privacy.views.question import asks_not_to_share, in_fragments
from privacy.vocabulary import Source

A_PAGE = 50


@open_always
@require_http_methods(["GET", "HEAD", "POST"])
def feedback(request: PersonalRequest, message: UUID) -> HttpResponse:
    """The thumb, stored at once; then the form to say more, within the chat's page or on one of its own."""
    if request.method == "POST":
        return _rated(request, message)
    given = _given(request, message)
    return _form(request, given, FeedbackForm(given=given)) if given else _to_the_answer(request, message)


def _rated(request: PersonalRequest, message: UUID) -> HttpResponse:
    try:
        if request.POST.get("thumb") not in Thumb.values:
            raise BadFrame
        given = acts.rate(request.user, message=message, thumb=Thumb(request.POST["thumb"]))
    except Refused as error:
        return _refused(request, message, error)
    if in_fragments(request):
        return _form(request, given, FeedbackForm(given=given))
    if wants_json(request):
        return JsonResponse(_as_data(given))
    return redirect("chat:feedback", message)


@open_always
@require_POST
def answer(request: PersonalRequest, message: UUID) -> HttpResponse:
    """What is said beside a thumb that was given."""
    given = _given(request, message)
    if given is None:
        return _refused(request, message, acts.Stale(_("You took this back in another tab. Nothing was recorded.")))
    form = FeedbackForm(request.POST, given=given)
    if not form.is_valid():
        return _form(request, given, form, status=422)
    try:
        given = acts.say(request.user, message=message, given=_circumstances(request, Source.CHAT), **form.cleaned_data)
    except Refused as error:
        fresh = _given(request, message)
        return _form(request, fresh, FeedbackForm(given=fresh), error) if fresh else _refused(request, message, error)
    return _done(request, message, _said(given), _as_data(given))


@open_always
@require_POST
def withdraw(request: PersonalRequest, message: UUID) -> HttpResponse:
    try:
        given = acts.withdraw(request.user, message=message, given=_circumstances(request, Source.SETTINGS))
    except Refused as error:
        return _refused(request, message, error)
    return _done(request, message, _said(given), _as_data(given))


@open_always
@require_POST
def take_back(request: PersonalRequest, message: UUID) -> HttpResponse:
    source = Source.SETTINGS if request.POST.get("next") else Source.CHAT
    try:
        acts.take_back(request.user, message=message, given=_circumstances(request, source))
    except Refused as error:
        return _refused(request, message, error)
    return _done(request, message, _("Your feedback is taken back: thumb, comment and answer are gone."), {"thumb": ""})


@open_always
@require_safe
def mine(request: PersonalRequest) -> HttpResponse:
    """What the person said of answers that they still see, the latest first."""
    seen = conversations_of(request.user).order_by().values("pk")
    given = Feedback.objects.filter(user=request.user, message__conversation__in=seen).order_by("-given_at", "-pk")
    rows = given.select_related("message__conversation__workspace", "message__parent")
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    return render(request, "chat/feedback_list.html", {"page": page})


def _given(request: PersonalRequest, message: UUID) -> Feedback | None:
    """What the person has said of an answer that they see. Raises NotFound."""
    said = message_for(request.user, message)
    request.workspace = said.conversation.workspace
    given = Feedback.objects.filter(message=said, user=request.user).first()
    if given:
        given.message = said
    return given


def _form(
    request: PersonalRequest, given: Feedback, form: FeedbackForm, error: Refused | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "given": given,
        "form": form,
        "question": asking.question(given.message, standing_of(request.user)),
        "gpc": asks_not_to_share(request),
        "error": error.message if error else "",
    }
    template = "chat/_feedback.html" if in_fragments(request) else "chat/feedback.html"
    return render(request, template, context, status=error.status if error else status)


def _circumstances(request: PersonalRequest, source: Source) -> acts.Circumstances:
    return acts.Circumstances(source, asks_not_to_share(request), context_of(request))


def _said(given: Feedback) -> str:
    if given.may_train is None:
        return _("Noted. This exchange trains nothing by it; your general choice stands as it is.")
    if given.may_train:
        return _("Noted. This one exchange may train models. You can take that back at any time.")
    return _("Noted. This exchange trains no models.")


def _as_data(given: Feedback) -> dict[str, str | bool | None]:
    return {"thumb": given.thumb, "may_train": given.may_train}


def _done(request: PersonalRequest, message: UUID, said: str, data: dict[str, str | bool | None]) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({**data, "said": said})
    messages.success(request, said)
    onward = target(request, request.POST.get("next", ""))
    return redirect(onward) if onward else _to_the_answer(request, message)


def _refused(request: PersonalRequest, message: UUID, error: Refused) -> HttpResponse:
    if wants_json(request) or in_fragments(request):
        said = {"error": {"code": error.code, "message": error.message}}
        return JsonResponse(said, status=error.status)
    messages.error(request, error.message)
    return _to_the_answer(request, message)


def _to_the_answer(request: PersonalRequest, message: UUID) -> HttpResponse:
    held = message_for(request.user, message).conversation
    return redirect(f"{reverse('chat:conversation', args=[held.public_id])}#m-{message}")
