"""The proof of a choice, to read, to print and to keep."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from accounts.request import PersonalRequest as Request
from privacy import versions
from privacy.evidence import receipt as receipts
from privacy.evidence import tree, wording
from privacy.models import Event, Subject
from privacy.record import door


@require_safe
def receipt(request: Request, key: UUID) -> HttpResponse:
    """One's own receipt as a page."""
    event = _own(request, key)
    events, terms = receipts.together(event), receipts.terms_of(event)
    proof = tree.proof_of(events[-1])
    context = {
        "event": event,
        "events": events,
        "how": door(event.source),
        "despite_signal": any(wording.despite_signal(one.act, one.detail) for one in events),
        "proof": proof,
        "sealed_at": parse_datetime(proof.head["at"]) if proof else None,
        "controller": settings.CONTROLLER,
        "file": receipts.name_of(event, sealed=True),
        "terms": terms,
        "text": versions.variant(terms, str(event.detail.get("language", terms.language))),
    }
    return render(request, "privacy/receipt.html", context)


@require_safe
def document(request: Request, key: UUID) -> HttpResponse:
    """The same as a file that can be checked without this server."""
    event = _own(request, key)
    said = receipts.receipt_of(event)
    name = receipts.name_of(event, sealed=receipts.is_sealed(said))
    return HttpResponse(
        receipts.written(said),
        content_type="application/ld+json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _own(request: HttpRequest, key: UUID) -> Event:
    """An answer of the person who asks; unknown and somebody else's look the same, for staff too."""
    mine = Event.objects.filter(subject__in=Subject.objects.filter(user=request.user.pk).values("key"))
    answers = mine.filter(act__in=[act.value for act in receipts.CHOICES]).exclude(terms="")
    return get_object_or_404(answers, key=key)
