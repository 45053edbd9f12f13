"""Leaving for good: what goes and what stays, the password once more, a last page; and coming back while one may."""

from uuid import UUID

from allauth.account.forms import ReauthenticateForm
from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from accounts.request import PersonalRequest as Request
from privacy import certificates, coming_back, leaving
from privacy.errors import SoleOwner, StillStaff, TooLate
from privacy.models import Erasure


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def delete_account(request: Request) -> HttpResponse:
    """Whoever gives their password leaves. An account without one gets one first: nothing else says who asks."""
    if request.method == "POST" and not ratelimit.consume(request, action="reauthenticate"):
        return ratelimit.respond_429(request)
    form = ReauthenticateForm(request.POST or None, user=request.user)
    if request.user.has_usable_password() and form.is_valid():
        days = 0 if request.POST.get("when") == "now" else settings.ACCOUNT_GRACE_DAYS
        try:
            erasure = leaving.leave(user=request.user, days=days)
        except (SoleOwner, StillStaff):
            form = ReauthenticateForm(user=request.user)  # the page says why
        else:
            logout(request)
            return _deleted(erasure)
    return _page(request, form)


def _page(request: Request, form: ReauthenticateForm) -> HttpResponse:
    emptied = list(leaving.emptied(request.user))
    context = {
        "form": form,
        "alone": list(leaving.owned_alone(request.user)),
        "work": [one for one in request.workspaces if not one.is_personal and one not in emptied],
        "emptied": emptied,
        "contact": settings.CONTROLLER["contact"],
        "days": settings.ACCOUNT_GRACE_DAYS,
    }
    return render(request, "privacy/delete_account.html", context, status=422 if form.errors else 200)


def _deleted(erasure: Erasure | None) -> HttpResponse:
    """To the last page, which has the address of the certificate."""
    address = reverse("privacy:account_deleted")
    return redirect(f"{address}?certificate={erasure.certificate}" if erasure else address)


@login_not_required
@require_safe
def account_deleted(request: HttpRequest) -> HttpResponse:
    """The last page; with the key of the certificate, it says until when one may come back."""
    found = _certificate(request.GET.get("certificate", ""))
    return render(request, "privacy/account_deleted.html", {"certificate": found})


def _certificate(key: str) -> certificates.Certificate | None:
    try:
        return certificates.find(UUID(key))
    except ValueError:
        return None


@login_not_required
@require_http_methods(["GET", "POST"])
def pending(request: HttpRequest) -> HttpResponse:
    """Whoever has just given the password of an account that is about to be deleted keeps it, or does not wait."""
    user = coming_back.whoever(request)
    if user is None:
        return redirect("account_login")
    acts = {"stay": _stay, "now": _hasten}
    if request.method == "POST" and (act := acts.get(request.POST.get("act", ""))):
        try:
            return act(request, user)
        except TooLate:
            return redirect("account_login")
    status = 422 if request.method == "POST" else 200
    return render(request, "privacy/leaving.html", {"erasure": leaving.pending(user)}, status=status)


def _stay(request: HttpRequest, user: User) -> HttpResponse:
    leaving.stay(user)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    messages.success(request, _("Your account stays, and your chats are back."))
    return redirect("chat:new")


def _hasten(request: HttpRequest, user: User) -> HttpResponse:
    erasure = leaving.hasten(user)
    logout(request)
    return _deleted(erasure)
