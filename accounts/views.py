"""The profile, and the switch from one workspace to another."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import workspace_for
from accounts.forms import ProfileForm
from accounts.middleware import SESSION_KEY
from accounts.request import PersonalRequest
from accounts.targets import target


@require_http_methods(["GET", "POST"])
def profile(request: PersonalRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, instance=request.user, session=request.session)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your profile is saved.")
        return redirect("accounts:profile")
    if form.is_bound and form.says_too_young:
        request.user.refuse_age()
    # A refused form has written its values into request.user, which the page's header shows.
    request.user.refresh_from_db()
    return render(request, "accounts/profile.html", {"form": form})


@require_POST
def switch(request: PersonalRequest) -> HttpResponse:
    """Work in another workspace from here on; somebody else's does not exist."""
    workspace = workspace_for(request.user, request.POST.get("workspace"))
    request.session[SESSION_KEY] = str(workspace.public_id)
    return redirect(target(request, request.POST.get("next", "")) or "chat:home")
