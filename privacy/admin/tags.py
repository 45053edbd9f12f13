"""Staff's view of whether the tags are true, and of re-tags that take their time; tagging everybody anew is an act."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from privacy import everybody
from privacy.admin.base import ReadOnlyAdmin
from privacy.models import Retagging, TagCheck

RETAG = "privacy.retag_everybody"


class RetagForm(forms.Form):
    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text="Auditors read it, and it is in the ledger."
    )
    confirmed = forms.BooleanField(
        label="Every tag is made what the policy says today. No end comes nearer than thirty days by it."
    )


@admin.register(TagCheck)
class TagCheckAdmin(ReadOnlyAdmin):
    list_display = ["started_at", "duration", "checked", "waiting", "drifted", "by_column", "by_reason", "how"]

    @admin.display(description="how")
    def how(self, check: TagCheck) -> str:
        return _("one by one") if check.slow else _("set-based")


@admin.register(Retagging)
class RetaggingAdmin(ReadOnlyAdmin):
    list_display = ["at", "of", "progress", "changed", "worked_at", "finished_at", "reason"]
    list_select_related = ["workspace"]
    change_list_template = "admin/privacy/retagging_list.html"

    def get_urls(self) -> list[URLPattern]:
        ask = self.admin_site.admin_view(self.ask_view)
        return [path("everybody/", ask, name="privacy_retagging_everybody"), *super().get_urls()]

    def of(self, row: Retagging) -> str:
        return str(row.workspace) if row.workspace else _("everybody")

    def progress(self, row: Retagging) -> str:
        share = row.done * 100 // row.total if row.total else 100
        return f"{row.done:,} / {row.total:,} ({min(share, 100)} %)"

    def ask_view(self, request: HttpRequest) -> HttpResponse:
        """Have every conversation tagged anew, for a reason."""
        if not request.user.has_perm(RETAG):
            raise PermissionDenied
        form = RetagForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            step = everybody.ask(form.cleaned_data["reason"], by=request.user)  # type: ignore[arg-type]
            messages.success(request, _("It is under way. Its progress stands here."))
            return redirect("admin:privacy_retagging_change", step.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Tag everybody anew"),
            "opts": self.opts,
            "form": form,
            "drift": TagCheck.objects.filter(finished_at__isnull=False).first(),
            "back": reverse("admin:privacy_retagging_changelist"),
        }
        return TemplateResponse(
            request, "admin/privacy/retag_everybody.html", context, status=422 if form.errors else 200
        )
