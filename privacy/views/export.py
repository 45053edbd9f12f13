"""One's data as a file. Open whatever is owed, and while the gate stops its person."""

from uuid import UUID

from allauth.core import ratelimit
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import clock
from accounts.errors import NotFound
from accounts.request import PersonalRequest as Request
from privacy import portability
from privacy.exporting import asking, files, serving
from privacy.models import Export


@require_http_methods(["GET", "POST"])
def export(request: Request) -> HttpResponseBase:
    """What is in the file and how far it is; asking for it."""
    if request.method == "POST":
        if not ratelimit.consume(request, action="export"):
            return _page(request, _too_often())
        asking.ask(request.user)
        return redirect("privacy:export")
    return _page(request)


@require_safe
def progress(request: Request) -> JsonResponse:
    """How far it is, for the page's script."""
    made = asking.latest(request.user)
    if made is None:
        return JsonResponse({"state": "none", "done": 0, "total": 0})
    return JsonResponse({"state": made.state, "done": made.done, "total": made.total})


@require_safe
def download(request: Request, key: UUID) -> HttpResponseBase:
    """The finished file, for whoever asked for it and nobody else."""
    try:
        made = asking.ready(request.user, key)
    except NotFound:
        raise Http404 from None
    size, tag = made.bytes or 0, f'"{made.sha256}"'
    headers = {"Accept-Ranges": "bytes", "ETag": tag, "Content-Disposition": _attached(made.asked_at, "zip")}
    asked = request.headers.get("range", "") if request.headers.get("if-range", tag) == tag else ""
    try:
        span = serving.span_of(asked, size)
    except serving.OutOfRange:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    whole = span is None
    span = span or serving.Span(0, size - 1)
    headers["Content-Length"] = str(span.length)
    if not whole:
        headers["Content-Range"] = f"bytes {span.first}-{span.last}/{size}"
    if request.method == "HEAD":
        return HttpResponse(content_type="application/zip", headers=headers)
    if whole:
        Export.objects.filter(pk=made.pk).update(fetched_at=clock.now())
    pieces = serving.read(files.path_of(made.public_id), span)
    return StreamingHttpResponse(pieces, status=200 if whole else 206, content_type="application/zip", headers=headers)


@require_POST
def document(request: Request) -> HttpResponseBase:
    """The JSON alone, made while it is received: it needs no worker and leaves nothing here."""
    if not portability.take_turn(request.user):
        return _page(request, _("Your file is being made already, in another tab perhaps. Wait until it is there."))
    if not ratelimit.consume(request, action="export"):
        portability.give_back_turn(request.user)
        return _page(request, _too_often())
    return StreamingHttpResponse(
        portability.streamed(request.user),
        content_type="application/json",
        headers={"Content-Disposition": _attached(clock.now(), "json")},
    )


def _page(request: Request, why: str = "") -> HttpResponse:
    context = {"parts": portability.parts(), "export": asking.latest(request.user), "why": why}
    return render(request, "privacy/export.html", context, status=429 if why else 200)


def _too_often() -> str:
    return _("You have asked for your data several times within the hour. Please try again later.")


def _attached(at: object, kind: str) -> str:
    return f'attachment; filename="parley-export-{timezone.localdate(at):%Y-%m-%d}.{kind}"'  # type: ignore[arg-type]
