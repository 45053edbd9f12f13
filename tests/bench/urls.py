"""The product's addresses, and a bare view to measure them against."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from chat.models import SpentTurn


def bare(request: HttpRequest) -> HttpResponse:
    """Behind the same middleware, session and login: one row."""
    SpentTurn.objects.create(user_id=request.user.pk, workspace_id=request.workspace.pk)  # type: ignore[attr-defined]
    return HttpResponse(status=204)


urlpatterns = [path("bench/bare", bare), path("", include("config.urls"))]
