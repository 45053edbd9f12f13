"""Staff's view of training sets: built, sealed and released for a reason, each an act in the ledger."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from accounts.models import User
from chat.models import TrainingRun, TrainingSet
from chat.training import building, manifest, outcomes, sealing, snapshot
from privacy.admin.base import ReadOnlyAdmin

MAY = "chat.build_training_set"


class BuildForm(forms.Form):
    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text="Auditors read it, and it is in the ledger."
    )
    confirmed = forms.BooleanField(
        label="Every conversation that may train now is read, filtered and written into the set."
    )


class SealForm(forms.Form):
    confirmed = forms.BooleanField(label="What may not train any more is taken out, and the set is closed.")


class ReleaseForm(forms.Form):
    confirmed = forms.BooleanField(label="The set may be trained on, and people read that their chats are in it.")


@admin.register(TrainingSet)
class TrainingSetAdmin(ReadOnlyAdmin):
    list_display = ["snapshot_at", "public_id", "state", "progress", "total", "sealed_at", "released_at", "reason"]
    readonly_fields = ["progress", "became", "manifest_hash"]
    exclude = ["secret", "manifest"]
    change_list_template = "admin/chat/trainingset_list.html"
    change_form_template = "admin/chat/trainingset.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("build/", view(self.build_view), name="chat_trainingset_build"),
            path("<int:pk>/seal/", view(self.seal_view), name="chat_trainingset_seal"),
            path("<int:pk>/release/", view(self.release_view), name="chat_trainingset_release"),
            *super().get_urls(),
        ]

    def progress(self, row: TrainingSet) -> str:
        done, total = building.progress(row)
        share = done * 100 // total if total else 100
        return _("%(done)s of %(total)s chunks (%(share)s %%)") % {"done": done, "total": total, "share": share}

    @admin.display(description="what became of the conversations")
    def became(self, row: TrainingSet) -> str:
        told = (f"{count:,} {outcomes.sentence_of(name)}" for name, count in sorted(snapshot.outcomes(row).items()))
        return "; ".join(told)

    def build_view(self, request: HttpRequest) -> HttpResponse:
        """Begin a set; background workers fill it."""

        def act(form: forms.Form, by: User) -> TrainingSet:
            return building.ask(form.cleaned_data["reason"], by=by)

        return self._act(request, BuildForm, act, _("Build a training set"), _("It is under way."))

    def seal_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = get_object_or_404(TrainingSet, pk=pk)
        act = partial(_sealed, found, sealing.seal)
        return self._act(request, SealForm, act, _("Seal this training set"), _("It is sealed."))

    def release_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = get_object_or_404(TrainingSet, pk=pk)
        act = partial(_sealed, found, sealing.release)
        return self._act(request, ReleaseForm, act, _("Release this training set"), _("It is released."))

    def _act(
        self,
        request: HttpRequest,
        kind: type[forms.Form],
        act: Callable[[Any, User], TrainingSet],
        title: str,
        done: str,
    ) -> HttpResponse:
        """One page with a form, whose act leads to the set or says why it is not done."""
        if not request.user.has_perm(MAY):
            raise PermissionDenied
        form = kind(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            assert isinstance(request.user, User)
            try:
                row = act(form, request.user)
            except (sealing.NotToBeSealed, sealing.NotToBeReleased, manifest.Damaged) as refused:
                form.add_error(None, _("It is not possible: %s") % (refused.__doc__ or ""))
            else:
                messages.success(request, done)
                return redirect("admin:chat_trainingset_change", row.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "form": form,
            "back": reverse("admin:chat_trainingset_changelist"),
        }
        return TemplateResponse(request, "admin/chat/trainingset_act.html", context, status=422 if form.errors else 200)


def _sealed(row: TrainingSet, act: Callable[..., TrainingSet], _form: forms.Form, by: User) -> TrainingSet:
    return act(row, by=by)


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = ["checked_at", "name", "training_set", "to_drop"]
    list_select_related = ["training_set"]
