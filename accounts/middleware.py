"""The language, the hour and the workspace in which a person is served."""

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.functional import SimpleLazyObject

from accounts.models import User, Workspace

Handler = Callable[[HttpRequest], HttpResponseBase]
SESSION_KEY = "workspace"


def PersonalLocaleMiddleware(get_response: Handler) -> Handler:
    """Serve people in the language and time zone of their profile, strangers as their browser asks."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with translation.override(_language(request)), timezone.override(_time_zone(request)):
            response = get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or "en")
        patch_vary_headers(response, ["Accept-Language"])
        return response

    return middleware


def PrivatePagesMiddleware(get_response: Handler) -> Handler:
    """Let no cache keep a signed-in person's pages: after signing out, "back" shows nothing."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.user.is_authenticated:
            add_never_cache_headers(response)
        return response

    return middleware


def WorkspaceMiddleware(get_response: Handler) -> Handler:
    """Set `request.workspaces` and `request.workspace` (None for strangers); one query, made when first read."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if isinstance(user, User):
            open_ones = SimpleLazyObject(lambda: list(Workspace.objects.open_to(user)))
            request.workspaces = open_ones  # type: ignore[attr-defined]
            request.workspace = SimpleLazyObject(  # type: ignore[attr-defined]
                lambda: _current(open_ones, request.session.get(SESSION_KEY))  # type: ignore[arg-type]
            )
        else:
            request.workspaces, request.workspace = [], None  # type: ignore[attr-defined]
        return get_response(request)

    return middleware


def _current(open_ones: list[Workspace], chosen: str | None) -> Workspace:
    """The workspace chosen in this session while it is still open to the person, else the personal one."""
    return next((one for one in open_ones if str(one.public_id) == chosen), open_ones[0])


def _language(request: HttpRequest) -> str:
    user = request.user
    if user.is_authenticated and user.locale in dict(settings.LANGUAGES):
        return user.locale
    return translation.get_language_from_request(request)


def _time_zone(request: HttpRequest) -> ZoneInfo:
    user = request.user
    try:
        return ZoneInfo(user.time_zone if user.is_authenticated else "UTC")
    except (ZoneInfoNotFoundError, ValueError):  # a zone that this machine's data does not know
        return ZoneInfo("UTC")
