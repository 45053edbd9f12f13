"""Staff's view of the sweep: what each run did, and the questions of those that stopped, and what must still follow."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from accounts import clock
from privacy import breaker, gauges
from privacy.admin.base import ReadOnlyAdmin
from privacy.models import Outbox, SweepRun, SweepStop
from privacy.vocabulary import Reason, RetentionClass

ANSWER = "privacy.answer_sweepstop"


class AnswerForm(forms.Form):
    answer = forms.ChoiceField(
        choices=[
            (SweepStop.Answer.GO_ON.value, "Go on: purge as many as stand above, for good"),
            (SweepStop.Answer.NO.value, "No: purge nothing of it, and ask again in a day if still so much is due"),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text="It stands in the ledger, with your answer."
    )
    confirmed = forms.BooleanField(label="I have read the numbers and the reasons above.")


@admin.register(SweepRun)
class SweepRunAdmin(ReadOnlyAdmin):
    list_display = [
        *("started_at", "duration", "purged", "deleted", "by_class", "rows", "bytes", "chunks"),
        *("stopped_by", "erased"),
    ]
    list_filter = ["stopped_by"]
    date_hierarchy = "started_at"
    change_list_template = "admin/privacy/sweeprun_list.html"

    def get_urls(self) -> list[URLPattern]:
        figures = self.admin_site.admin_view(self.figures_view)
        return [path("figures/", figures, name="privacy_sweeprun_figures"), *super().get_urls()]

    def figures_view(self, request: HttpRequest) -> HttpResponse:
        """What `/metrics` says, for people."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Figures of the sweep and of what waits"),
            "opts": self.opts,
            "figures": [_figure(one) for one in gauges.gauges()],
            "at": clock.now(),
        }
        return TemplateResponse(request, "admin/privacy/sweep_figures.html", context)


@admin.register(SweepStop)
class SweepStopAdmin(ReadOnlyAdmin):
    list_display = ["asked_at", "cause", "due", "live", "answer", "answered_at"]
    list_filter = ["cause", "answer"]
    change_form_template = "admin/privacy/sweepstop_change.html"

    def get_urls(self) -> list[URLPattern]:
        answer = self.admin_site.admin_view(self.answer_view)
        return [path("<int:pk>/answer/", answer, name="privacy_sweepstop_answer"), *super().get_urls()]

    def answer_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The numbers, the reasons, and staff's answer."""
        if not request.user.has_perm(ANSWER):
            raise PermissionDenied
        stop = get_object_or_404(SweepStop, pk=pk)
        form = AnswerForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            said = SweepStop.Answer(form.cleaned_data["answer"])
            try:
                breaker.answer(stop, said, form.cleaned_data["reason"], by=request.user)  # type: ignore[arg-type]
            except breaker.AlreadyAnswered:
                messages.error(request, _("This question has its answer already."))
            else:
                messages.success(request, _("Your answer is recorded; the next run goes by it."))
            return redirect("admin:privacy_sweepstop_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Answer"),
            "subtitle": str(stop),
            "opts": self.opts,
            "stop": stop,
            "groups": [_in_words(group) for group in stop.groups],
            "form": form,
            "back": reverse("admin:privacy_sweepstop_change", args=[pk]),
        }
        return TemplateResponse(
            request, "admin/privacy/sweepstop_answer.html", context, status=422 if form.errors else 200
        )


@admin.register(Outbox)
class OutboxAdmin(ReadOnlyAdmin):
    list_display = ["written_at", "age", "store", "attempts", "failure", "next_at"]
    list_filter = ["store"]

    def age(self, row: Outbox) -> str:
        return timesince(row.written_at, clock.now())


def _figure(gauge: gauges.Gauge) -> dict[str, Any]:
    return {"says": gauge.says, "values": [(kind, _amount(gauge, value)) for kind, value in gauge.values.items()]}


def _amount(gauge: gauges.Gauge, value: float) -> str:
    """A length of time in words, or a number."""
    now = clock.now()
    if gauge.is_time:
        return timesince(now - timedelta(seconds=value), now) if value >= 1 else "—"
    return intcomma(int(value))


def _in_words(group: dict[str, Any]) -> dict[str, Any]:
    return {
        **group,
        "oldest": parse_datetime(group["oldest"]),
        "kept": RetentionClass(group["tag_class"]).sentence,
        "why": Reason(group["tag_reason"]).sentence,
    }
