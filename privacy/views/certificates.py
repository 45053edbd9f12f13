"""The certificate of a deletion, for whoever has the key of what was deleted; and a person's list of their own."""

import json
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.request import PersonalRequest as Request
from privacy import certificates
from privacy.models import Deletion

PAGE = 50


@login_not_required
@require_safe
def certificate(request: HttpRequest, key: UUID) -> HttpResponse:
    found = _found(key)
    sealed_at = parse_datetime(found.proof["head"]["at"]) if found.proof else None
    context = {"certificate": found, "sealed_at": sealed_at, "controller": settings.CONTROLLER}
    return render(request, "privacy/certificate.html", context)


@login_not_required
@require_safe
def document(request: HttpRequest, key: UUID) -> HttpResponse:
    """The same as a file that can be checked without this server; 409 while it is not issued yet."""
    said = _found(key).document
    if said is None:
        error = {"code": "not_yet", "message": _("This certificate is not issued yet. Please try again in a minute.")}
        return JsonResponse({"error": error}, status=409)
    return HttpResponse(
        json.dumps(said, ensure_ascii=False, indent=1),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="parley-deletion-{str(key)[:8]}.json"'},
    )


@require_safe
def deletions(request: Request) -> HttpResponse:
    """What the person deleted within a year and is purged; it has no names any more, only moments."""
    pages = Paginator(Deletion.objects.filter(user=request.user), PAGE)
    return render(request, "privacy/deletions.html", {"page": pages.get_page(request.GET.get("page"))})


def _found(key: UUID) -> certificates.Certificate:
    found = certificates.find(key)
    if found is None:
        raise Http404
    return found
