"""The gate's HTTP edge: deny by default, and one translation of a refusal.

A view of the chat that changes anything says which it is: `@gated` (it begins a turn, and `begin_turn` asks the gate
under the person's lock) or `@open_always` (reading, deleting, renaming stay open whatever is owed). One that says
neither is refused, so that a new door cannot be forgotten.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse

from accounts.request import PersonalRequest
from privacy.errors import ConsentRequired
from privacy.views.choice import instead_of

View = TypeVar("View", bound=Callable[..., Any])
SAFE = {"GET", "HEAD", "OPTIONS"}
GUARDED_APPS = {"chat"}


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
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse a changing request to a chat view that does not say whether the gate concerns it."""
        match = request.resolver_match
        guarded = match is not None and GUARDED_APPS & set(match.app_names)
        if guarded and request.method not in SAFE and not hasattr(view, "gate"):
            return refusal(request, ConsentRequired())
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return refusal(request, exception) if isinstance(exception, ConsentRequired) else None


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
