"""Where a page leads on to when a form names the address: nowhere but to a path of this site."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

LONGEST = 500  # characters; servers in front bound the header that carries it


def target(request: HttpRequest, wanted: str) -> str:
    """`wanted` if it is a path of this site, else nothing.

    A word without a slash is refused as well: Django would take it for the name of a view.
    """
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe and wanted.startswith("/") and len(wanted) <= LONGEST else ""
