"""One's data as a file. Open whatever is owed, and while the gate stops its person."""

from allauth.core import ratelimit
from django.http import HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import clock
from accounts.request import PersonalRequest as Request
from privacy import portability


@require_http_methods(["GET", "POST"])
def export(request: Request) -> HttpResponseBase:
    """What is in the file, and the file itself."""
    why = ""
    if request.method == "POST":
        if not portability.take_turn(request.user):
            why = _("Your file is being made already, in another tab perhaps. Wait until it is there.")
        elif not ratelimit.consume(request, action="export"):
            portability.give_back_turn(request.user)
            why = _("You have fetched your file several times within the hour. Please try again later.")
        else:
            return _file(request)
    return render(
        request, "privacy/export.html", {"parts": portability.parts(), "why": why}, status=429 if why else 200
    )


def _file(request: Request) -> StreamingHttpResponse:
    name = f"parley-export-{timezone.localdate(clock.now()):%Y-%m-%d}.json"
    return StreamingHttpResponse(
        portability.streamed(request.user),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
