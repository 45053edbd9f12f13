"""Staff's legal holds: who may look sees all of them; placing and releasing are acts with a reason of their own."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from accounts.models import User, Workspace
from privacy import holds, overlays, reading
from privacy.admin.acts import ActForm, People, ReadAdmin, reason
from privacy.models import Hold

ON = {
    "person": lambda key: User.objects.filter(public_id=key).first(),
    "workspace": lambda key: Workspace.objects.filter(public_id=key).first(),
    "conversation": overlays.find,
}
AUDITED = "Auditors read it, and it is in the ledger."


class PlaceForm(ActForm):
    on = forms.ChoiceField(label="Hold", choices=[(name, f"one {name}") for name in ON], widget=forms.RadioSelect)
    key = forms.UUIDField(label="Its key", help_text="The public id, as the lists of staff show it.")
    reason = reason(AUDITED)
    readers = People()
    confirmed = forms.BooleanField(label="From now on nothing of it is purged and nothing of it trains.")

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if "on" in said and "key" in said:
            said["target"] = ON[said["on"]](said["key"])
            if said["target"] is None:
                self.add_error("key", "There is none of this key.")
        return said


class ReleaseForm(ActForm):
    reason = reason(AUDITED)
    confirmed = forms.BooleanField(
        label="What has come to its end meanwhile is purged in thirty days; what people deleted, at once."
    )


@admin.register(Hold)
class HoldAdmin(ReadAdmin):
    permission = "privacy.place_hold"
    act_template = "admin/privacy/hold_act.html"
    refusals = {
        holds.AlreadyReleased: "This hold was released before.",
        reading.Over: "This hold was released before.",
    }
    list_display = ["placed_at", "on", "reason", "released_at", "release_reason"]
    list_select_related = ["user", "workspace"]
    readonly_fields = ["readers_named"]
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
        self.require(request)
        form = PlaceForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self.page(request, form, _("Place a hold"))
        said = form.cleaned_data
        hold = holds.place(said["target"], said["reason"], by=request.user, readers=said["readers"])  # type: ignore[arg-type]
        messages.success(request, _("The hold stands."))
        return redirect(self.address("change", hold.pk))

    def release_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = ReleaseForm(request.POST if request.method == "POST" else None)

        def do(hold: Hold) -> None:
            holds.release(hold, form.cleaned_data["reason"], by=request.user)  # type: ignore[arg-type]

        return self.act_on(request, pk, form, _("Release"), do, _("The hold is released."))
