"""The terms, for everybody: every version, the words that changed, and the document that machines read and hash."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from accounts import clock
from privacy import versions
from privacy.canonical import canonical
from privacy.comparison import compare
from privacy.models import Terms, TermsQuerySet
from privacy.prose import retention_table, to_html


@login_not_required
@require_safe
def terms_list(request: HttpRequest) -> HttpResponse:
    """Every version that was ever published, the newest first."""
    listed = list(_published().prefetch_related("moves"))
    return render(request, "privacy/terms_list.html", {"versions": listed})


@login_not_required
@require_safe
def terms(request: HttpRequest, slug: str) -> HttpResponse:
    """One version, in the reader's language or the one asked for; `current` is the newest."""
    version = _version(slug)
    if version is None:
        return redirect("privacy:terms_list")
    text = versions.variant(version, request.GET.get("language") or get_language() or version.language)
    context = {
        "terms": version,
        "text": text,
        "points": [line.strip() for line in text.summary.splitlines() if line.strip()],
        "body": to_html(text.body),
        "schedule": retention_table(version),
        "languages": [version.language, *(one.language for one in version.translations.all())],
        "before": _before(version),
        "superseded_by": _published().filter(published_at__gt=version.published_at).last(),
    }
    return render(request, "privacy/terms.html", context)


@login_not_required
@require_safe
def changes(request: HttpRequest, slug: str) -> HttpResponse:
    """The words that changed since the version before."""
    version = _version(slug)
    before = version and _before(version)
    if version is None or before is None:
        raise Http404
    language = request.GET.get("language") or get_language() or version.language
    now, then = versions.variant(version, language), versions.variant(before, language)
    context = {
        "terms": version,
        "before": before,
        "text": now,
        "summary": compare(then.summary.replace("\n", "\n\n"), now.summary.replace("\n", "\n\n")),
        "body": compare(then.body, now.body),
        "durations": _durations(before, version),
    }
    return render(request, "privacy/terms_changes.html", context)


@login_not_required
@require_safe
def document(request: HttpRequest, slug: str) -> HttpResponse:
    """The very bytes that the version's digest is the SHA-256 of; the digest and moved deadlines are headers."""
    version = _version(slug)
    if version is None:
        raise Http404
    response = HttpResponse(canonical(versions.document(version)), content_type="application/json")
    response.headers["Parley-Terms-SHA256"] = version.digest
    response.headers["ETag"] = f'"{version.digest}"'
    if slug != "current":
        response.headers["Cache-Control"] = "public, max-age=86400, immutable"
    return response


def _published() -> TermsQuerySet:
    return Terms.objects.published(clock.now())


def _version(slug: str) -> Terms | None:
    found = _published().prefetch_related("translations", "moves")
    return found.first() if slug == "current" else get_object_or_404(found, slug=slug)


def _before(version: Terms) -> Terms | None:
    return _published().exclude(pk=version.pk).filter(published_at__lte=version.published_at).first()


def _durations(before: Terms, after: Terms) -> list[dict[str, str]]:
    """The rows of the retention table that differ."""
    return [
        {"class": now["class"], "before": then["how_long"], "after": now["how_long"]}
        for then, now in zip(retention_table(before), retention_table(after), strict=True)
        if then["how_long"] != now["how_long"]
    ]
