"""Leaving for good: what goes and what stays, the password once more, and a last page."""

from allauth.account.forms import ReauthenticateForm
from allauth.core import ratelimit
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.request import PersonalRequest as Request
from privacy import erasure
from privacy.errors import SoleOwner, StillStaff


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def delete_account(request: Request) -> HttpResponse:
    """Whoever gives their password leaves. An account without one gets one first: nothing else says who asks."""
    if request.method == "POST" and not ratelimit.consume(request, action="reauthenticate"):
        return ratelimit.respond_429(request)
    form = ReauthenticateForm(request.POST or None, user=request.user)
    if request.user.has_usable_password() and form.is_valid():
        try:
            erasure.leave(user=request.user)
        except (SoleOwner, StillStaff):
            form = ReauthenticateForm(user=request.user)  # the page says why
        else:
            logout(request)
            return redirect("privacy:account_deleted")
    return _page(request, form)


def _page(request: Request, form: ReauthenticateForm) -> HttpResponse:
    emptied = list(erasure.emptied(request.user))
    context = {
        "form": form,
        "alone": list(erasure.owned_alone(request.user)),
        "work": [one for one in request.workspaces if not one.is_personal and one not in emptied],
        "emptied": emptied,
        "contact": settings.CONTROLLER["contact"],
    }
    return render(request, "privacy/delete_account.html", context, status=422 if form.errors else 200)


@login_not_required
@require_safe
def account_deleted(request: HttpRequest) -> HttpResponse:
    return render(request, "privacy/account_deleted.html")
