"""The terms, for everybody."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from accounts import clock
from privacy.models import Terms
from privacy.prose import retention_table, to_html


@login_not_required
@require_safe
def terms_list(request: HttpRequest) -> HttpResponse:
    return render(request, "privacy/terms_list.html", {"versions": Terms.objects.published(clock.now())})


@login_not_required
@require_safe
def terms(request: HttpRequest, slug: str) -> HttpResponse:
    """One version of the terms; `current` is the newest."""
    published = Terms.objects.published(clock.now())
    version = published.first() if slug == "current" else get_object_or_404(published, slug=slug)
    if version is None:
        return redirect("privacy:terms_list")
    return render(
        request,
        "privacy/terms.html",
        {"terms": version, "body": to_html(version.body), "schedule": retention_table(version)},
    )
