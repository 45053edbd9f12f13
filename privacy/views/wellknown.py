"""What the ledger publishes about itself at `/.well-known/parley/`: signed heads, public keys, consistency proofs.

For everybody, without signing in, and about nobody: hashes, signatures and moments.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from privacy.evidence import heads, keys, tree
from privacy.models import LedgerKey, TreeHead

PAGE = 1_000  # heads at once
SOON, SELDOM, NEVER = 5, 300, 31_536_000  # seconds for which an answer may be kept by caches


@login_not_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Where everything is."""
    names = ("head", "checkpoint", "heads", "consistency", "keys")
    addresses = {name: request.build_absolute_uri(reverse(f"privacy:ledger_{name}")) for name in names}
    return _json({"origin": settings.LEDGER_ORIGIN, **addresses}, SELDOM)


@login_not_required
@require_safe
def head(request: HttpRequest) -> HttpResponse:
    """The latest signed head."""
    return _json(_whole(_latest()), SOON)


@login_not_required
@require_safe
def head_of(request: HttpRequest, size: int) -> HttpResponse:
    """The first head that was signed over so many leaves."""
    found = TreeHead.objects.filter(size=size).order_by("pk").first()
    if found is None:
        raise Http404
    return _json(_whole(found), NEVER)


@login_not_required
@require_safe
def checkpoint(request: HttpRequest) -> HttpResponse:
    """The latest signed head as a note (C2SP), as tools for transparency logs read it."""
    response = HttpResponse(_whole(_latest())["note"], content_type="text/plain; charset=utf-8")
    patch_cache_control(response, public=True, max_age=SOON)
    return response


@login_not_required
@require_safe
def all_heads(request: HttpRequest) -> HttpResponse:
    """Every head, the oldest first, a page at a time: `next` leads on until it is null."""
    after = _number(request, "after", 0)
    page = list(TreeHead.objects.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
    further = page[PAGE - 1].pk if len(page) > PAGE else None
    address = request.build_absolute_uri(reverse("privacy:ledger_heads"))
    return _json(
        {
            "heads": [each.published() for each in page[:PAGE]],
            "next": f"{address}?after={further}" if further else None,
        },
        SOON,
    )


@login_not_required
@require_safe
def public_keys(request: HttpRequest) -> HttpResponse:
    """Every public key, the oldest first, each but the first vouched for by the one before it."""
    listed = [key | {"verifier": heads.verifier_key(settings.LEDGER_ORIGIN, key["public"])} for key in keys.listed()]
    return _json({"keys": listed}, SELDOM)


@login_not_required
@require_safe
def consistency(request: HttpRequest) -> HttpResponse:
    """That the tree of `from` leaves is a beginning of that of `to` (without it: the latest signed)."""
    size = _latest().size
    earlier, later = _number(request, "from", 0), _number(request, "to", size)
    if not 0 < earlier <= later <= size:
        return JsonResponse({"error": f"from and to are sizes with 0 < from <= to <= {size}"}, status=400)
    said = {"from": earlier, "to": later, "path": tree.consistency_proof(earlier, later)}
    return _json(said, NEVER if "to" in request.GET else SOON)


def _latest() -> TreeHead:
    latest = TreeHead.objects.first()
    if latest is None:
        raise Http404
    return latest


def _whole(head: TreeHead) -> dict[str, Any]:
    """A head with the same as a signed note."""
    said = head.published()
    return {**said, "note": heads.note(said, LedgerKey.objects.get(key_id=head.key_id).public)}


def _number(request: HttpRequest, name: str, default: int) -> int:
    """A number of the query string; -1 for anything else."""
    given = request.GET.get(name)
    if given is None:
        return default
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else -1


def _json(said: dict[str, Any], seconds: int) -> HttpResponse:
    response = JsonResponse(said, json_dumps_params={"ensure_ascii": False})
    patch_cache_control(response, public=True, max_age=seconds)
    return response
