"""The page for what broke on our side, which needs nothing of what may have broken."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

from privacy.guard.watch import OlderThanLog


def server_error(request: HttpRequest) -> HttpResponse:
    """500; or 503 while a restored database does not know yet what was deleted since its backup."""
    restoring = isinstance(sys.exc_info()[1], OlderThanLog)
    name, status = ("restoring.html", 503) if restoring else ("500.html", 500)
    headers = {"Retry-After": "60"} if restoring else {}
    return HttpResponse(get_template(name).render(), status=status, headers=headers)
