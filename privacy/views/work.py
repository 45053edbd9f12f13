"""A Work workspace's agreement: its owners sign another one here, and its members read it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access import workspace_for
from accounts.errors import NotFound
from accounts.models import Membership, Workspace
from accounts.request import PersonalRequest as Request
from privacy.errors import StaleAnswer
from privacy.evidence.context import context_of
from privacy.models import Agreed
from privacy.signing import sign
from privacy.views.question import sent
from privacy.vocabulary import Source
from privacy.work import AgreementForm, foretold, versions_of


@require_http_methods(["GET", "POST"])
def agreement(request: Request, workspace: UUID) -> HttpResponse:
    """What is agreed on and who signed it. An owner signs another after a preview of what would follow."""
    place = workspace_for(request.user, workspace)
    owned = place.memberships.filter(user=request.user, role=Membership.Role.OWNER).exists()
    if place.is_personal or (request.method == "POST" and not owned):
        raise NotFound
    form = AgreementForm(sent(request))
    agreed = Agreed.objects.filter(workspace=place).select_related("agreement").first()
    now = agreed.agreement if agreed else None
    page = {"place": place, "owned": owned, "form": form, "now": now, "versions": versions_of(place)}
    if not form.is_valid():
        return render(request, "privacy/work.html", page, status=422 if form.errors else 200)
    if not form.cleaned_data["confirmed"]:
        said = foretold(place, form.retention_days, training=form.trains)
        return render(request, "privacy/work_confirm.html", {**page, "foretold": said})
    return _signed(request, place, form)


def _signed(request: Request, place: Workspace, form: AgreementForm) -> HttpResponse:
    said: dict[str, Any] = {"retention_days": form.retention_days, "training": form.trains}
    said |= {"seen": form.cleaned_data["seen"], "source": Source.SETTINGS, "context": context_of(request)}
    try:
        sign(owner=request.user, workspace=place, **said)
    except StaleAnswer:
        messages.warning(request, _("Another owner has signed meanwhile. Nothing was changed; this is in force now."))
    else:
        messages.success(request, _("The agreement is signed and in force."))
    return redirect("privacy:work", place.public_id)
