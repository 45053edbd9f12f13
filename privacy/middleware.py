"""The gate's HTTP edge: deny by default, one translation of a refusal, and word of a deadline in time.

A view of the chat says which it is, whatever the method: `@gated` (it begins a turn, and `begin_turn` asks the gate
under the person's lock) or `@open_always` (reading, deleting, renaming stay open whatever is owed). One that says
neither is taken for a door to the personal workspace and shut to whoever owes an answer, so that a new door cannot be
forgotten.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse

from accounts.middleware import SESSION_KEY
from accounts.models import User, Workspace
from accounts.request import PersonalRequest
from privacy import gate
from privacy.errors import ConsentRequired
from privacy.policy import Gate
from privacy.views.choice import instead_of

View = TypeVar("View", bound=Callable[..., Any])
GUARDED_APPS = {"chat"}
TOLD_APPS = {"chat", "privacy"}
CHOICE_BY = "Parley-Choice-By"  # until when there is time to answer


def gated(view: View) -> View:
    """Mark a view that begins a turn."""
    view.gate = "gated"  # type: ignore[attr-defined]
    return view


def open_always(view: View) -> View:
    """Mark a view that stays open while an answer is owed."""
    view.gate = "open"  # type: ignore[attr-defined]
    return view


class GateMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if deadline := _deadline(request, response):
            response.headers[CHOICE_BY] = deadline
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse a chat view that does not say whether the gate concerns it, unless nothing is owed."""
        if hasattr(view, "gate") or not _of(request, GUARDED_APPS):
            return None
        if not isinstance(request.user, User):
            return refusal(request, ConsentRequired())
        owed = gate.owed_by(request.user)
        return refusal(request, ConsentRequired(owed.terms, owed.deadline)) if owed.stopped else None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return refusal(request, exception) if isinstance(exception, ConsentRequired) else None


def _of(request: HttpRequest, apps: set[str]) -> bool:
    match = request.resolver_match
    return match is not None and bool(apps & set(match.app_names))


def _deadline(request: HttpRequest, response: HttpResponse) -> str | None:
    """What to tell in the header; None for whoever owes nothing or works elsewhere, and where caches may share it."""
    shared = "public" in response.get("Cache-Control", "")
    if shared or response.status_code >= 500 or not _of(request, TOLD_APPS) or not isinstance(request.user, User):
        return None
    answer = _said(cast("PersonalRequest", request))
    return answer.deadline.isoformat() if answer.gate is Gate.ASK and answer.deadline else None


def _said(request: PersonalRequest) -> gate.Answer:
    """The gate's answer for the page that was served: what it said in this request, or else one query."""
    here = type(request.workspace) is Workspace  # a conversation's, wherever its person works otherwise
    if here or getattr(request, "owed", None):
        return gate.gate_here(request)
    return gate.owed_by(request.user, unless_in=request.session.get(SESSION_KEY))


def refusal(request: HttpRequest, error: ConsentRequired) -> HttpResponse:
    """403 with where to go, as JSON for programs; people see the question itself, and keep what they wrote."""
    if wants_json(request) or not request.user.is_authenticated:
        return JsonResponse({"error": consent_error(error)}, status=403)
    return instead_of(cast("PersonalRequest", request), error)


def consent_error(error: ConsentRequired) -> dict[str, str | None]:
    """The refusal as data, the same over HTTP and socket."""
    return {
        "code": error.code,
        "message": error.message,
        "choice_url": reverse("privacy:choice"),
        "terms": error.terms or None,
        "deadline": error.deadline.isoformat() if error.deadline else None,
    }


def wants_json(request: HttpRequest) -> bool:
    return (
        not request.accepts("text/html") or request.get_preferred_type(["text/html", "application/json"]) != "text/html"
    )
