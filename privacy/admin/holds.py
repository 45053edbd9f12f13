"""Staff's legal holds: who may look sees all of them; placing and releasing are acts with a reason of their own."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from accounts.models import User, Workspace
from privacy import holds
from privacy.admin.base import ReadOnlyAdmin
from privacy.models import Hold

PLACE = "privacy.place_hold"
ON = {
    "person": lambda key: User.objects.filter(public_id=key).first(),
    "workspace": lambda key: Workspace.objects.filter(public_id=key).first(),
    "conversation": holds.find,
}


def _reason() -> forms.CharField:
    return forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text="Auditors read it, and it is in the ledger."
    )


class PlaceForm(forms.Form):
    on = forms.ChoiceField(label="Hold", choices=[(name, f"one {name}") for name in ON], widget=forms.RadioSelect)
    key = forms.UUIDField(label="Its key", help_text="The public id, as the lists of staff show it.")
    reason = _reason()
    confirmed = forms.BooleanField(label="From now on nothing of it is purged and nothing of it trains.")

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if "on" in said and "key" in said:
            said["target"] = ON[said["on"]](said["key"])
            if said["target"] is None:
                self.add_error("key", "There is none of this key.")
        return said


class ReleaseForm(forms.Form):
    reason = _reason()
    confirmed = forms.BooleanField(
        label="What has come to its end meanwhile is purged in thirty days; what people deleted, at once."
    )


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    list_display = ["placed_at", "on", "reason", "released_at", "release_reason"]
    list_select_related = ["user", "workspace"]
    change_list_template = "admin/privacy/hold_list.html"
    change_form_template = "admin/privacy/hold_change.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("place/", view(self.place_view), name="privacy_hold_place"),
            path("<int:pk>/release/", view(self.release_view), name="privacy_hold_release"),
            *super().get_urls(),
        ]

    def place_view(self, request: HttpRequest) -> HttpResponse:
        self._require(request)
        form = PlaceForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            said = form.cleaned_data
            hold = holds.place(said["target"], said["reason"], by=request.user)  # type: ignore[arg-type]
            messages.success(request, _("The hold stands."))
            return redirect("admin:privacy_hold_change", hold.pk)
        return self._page(request, form, _("Place a hold"), reverse("admin:privacy_hold_changelist"))

    def release_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._require(request)
        hold = get_object_or_404(Hold, pk=pk)
        form = ReleaseForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                holds.release(hold, form.cleaned_data["reason"], by=request.user)  # type: ignore[arg-type]
                messages.success(request, _("The hold is released."))
            except holds.AlreadyReleased:
                messages.error(request, _("This hold was released before."))
            return redirect("admin:privacy_hold_change", pk)
        return self._page(request, form, _("Release"), reverse("admin:privacy_hold_change", args=[pk]), hold)

    def _require(self, request: HttpRequest) -> None:
        if not request.user.has_perm(PLACE):
            raise PermissionDenied

    def _page(
        self, request: HttpRequest, form: forms.Form, title: str, back: str, hold: Hold | None = None
    ) -> TemplateResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        context |= {"form": form, "back": back, "hold": hold, "subtitle": str(hold or "")}
        status = 422 if form.errors else 200
        return TemplateResponse(request, "admin/privacy/hold_act.html", context, status=status)
