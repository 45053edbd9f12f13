"""What every page knows about where a person is."""

from typing import Any

from django.http import HttpRequest


def workspaces(request: HttpRequest) -> dict[str, Any]:
    """The workspaces open to the person, for the switcher; asked of the database only where a page shows them."""
    return {"workspaces": getattr(request, "workspaces", [])}
