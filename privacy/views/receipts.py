"""The proof of a choice, to read, to print and to keep."""

import json
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.request import PersonalRequest as Request
from privacy import versions
from privacy.evidence import receipt as receipts
from privacy.evidence import tree
from privacy.models import Event, Subject, Terms


@require_safe
def receipt(request: Request, key: UUID) -> HttpResponse:
    """One's own receipt as a page."""
    event = _own(request, key)
    events = receipts.together(event)
    proof = tree.proof_of(events[-1])
    terms = Terms.objects.prefetch_related("translations").filter(digest=event.terms).first() if event.terms else None
    text = versions.variant(terms, str(event.detail.get("language", terms.language))) if terms else None
    context = {"event": event, "events": events, "proof": proof, "terms": terms, "text": text}
    return render(request, "privacy/receipt.html", context)


@require_safe
def document(request: Request, key: UUID) -> HttpResponse:
    """The same as a file that can be checked without this server."""
    event = _own(request, key)
    said = json.dumps(receipts.receipt_of(event), ensure_ascii=False, indent=1)
    name = f"parley-receipt-{event.at:%Y-%m-%d}-{str(event.key)[:8]}.json"
    return HttpResponse(
        said, content_type="application/ld+json", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _own(request: HttpRequest, key: UUID) -> Event:
    mine = Event.objects.filter(subject__in=Subject.objects.filter(user=request.user.pk).values("key"))
    return get_object_or_404(mine.filter(act__in=[act.value for act in receipts.CHOICES]), key=key)
