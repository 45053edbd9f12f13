"""What somebody wants to hear of chats that end soon: e-mails or none, and the line beside the chats put away."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import NotFound
from accounts.models import User
from accounts.request import PersonalRequest as Request
from accounts.targets import target
from privacy import ends, expiry
from privacy.middleware import wants_json


@require_POST
def mails(request: Request) -> HttpResponse:
    """Turn the e-mails on or off."""
    wanted = request.POST.get("mails") == "on"
    expiry.want_mails(request.user, wanted=wanted)
    on, off = _("You get an e-mail before chats end."), _("You get no more e-mails about chats that end.")
    messages.success(request, on if wanted else off)
    return redirect(reverse("privacy:settings") + "#chats")


@require_POST
def put_away(request: Request) -> HttpResponse:
    """Show the line no more until something else comes near."""
    ends.put_away(request.user)
    if wants_json(request):
        return HttpResponse(status=204)
    return redirect(target(request, request.POST.get("next", "")) or "chat:new")


@csrf_exempt  # a mail program posts it by itself (RFC 8058), and the address alone says who asks
@login_not_required
@require_http_methods(["GET", "POST"])
def off(request: HttpRequest, token: str) -> HttpResponse:
    """Stop the e-mails from within one, signed in or not. Whoever only looks, as scanners of mail do, stops nothing."""
    key = expiry.stopped_by(token)
    if key is None:
        raise NotFound
    if request.method == "POST":
        person = User.objects.filter(public_id=key, is_active=True).first()
        if person:
            expiry.want_mails(person, wanted=False)
    return render(request, "privacy/ends_off.html", {"done": request.method == "POST"})
