"""Staff's safety reviews: who may look sees all of them; flagging, answering an appeal and ending are acts."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from accounts.errors import NotFound
from privacy import appeals, flagging, overlays, reading
from privacy.admin.acts import ActForm, People, ReadAdmin, reason
from privacy.admin.base import ReadOnlyAdmin
from privacy.models import Flag, Reading

FOR_STAFF = "For staff and auditors. It goes with the conversation."
LONGEST = 2_000


def _told(help_text: str) -> forms.CharField:
    return forms.CharField(
        label="What its author is told",
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=help_text,
    )


class FlagForm(ActForm):
    key = forms.UUIDField(label="The conversation's key", help_text="The public id, as the lists of staff show it.")
    reason = reason(FOR_STAFF)
    told = _told("In plain words, to them: what is the matter, and which rule it touches. They read it at once.")
    readers = People()
    confirmed = forms.BooleanField(label="It trains nothing from now on, and is kept for two years at least.")

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if "key" in said:
            said["target"] = overlays.find(said["key"])
            if said["target"] is None:
                self.add_error("key", "There is none of this key.")
        return said


class EndForm(ActForm):
    reason = reason(FOR_STAFF)
    confirmed = forms.BooleanField(
        label="What came to its end meanwhile is purged in thirty days; what its author deleted, at once."
    )


class AnswerForm(ActForm):
    told = _told(
        "Why the review goes on. To end it instead, go back and choose “End the review”: that grants the appeal."
    )
    confirmed = forms.BooleanField(label="I have read the appeal. The review goes on, and there is no second appeal.")


@admin.register(Flag)
class FlagAdmin(ReadAdmin):
    permission = "privacy.place_flag"
    act_template = "admin/privacy/flag_act.html"
    refusals = {
        flagging.AlreadyFlagged: "This conversation is under review already.",
        flagging.AlreadyEnded: "This review has ended before.",
        appeals.AlreadyAnswered: "This appeal has its answer already.",
        reading.Over: "This review has ended before.",
        NotFound: "The conversation has been purged meanwhile.",
    }
    list_display = ["flagged_at", "on", "reason", "appeal_state", "released_at", "release_reason"]
    list_select_related = ["appeal"]
    list_filter = ["flagged_at", "released_at"]
    search_fields = ["=key", "=public_id"]
    fields = [
        *("key", "reason", "told", "flagged_at", "readers_named", "appeal_state"),
        *("released_at", "release_reason"),
    ]
    change_list_template = "admin/privacy/flag_list.html"
    change_form_template = "admin/privacy/flag_change.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("place/", view(self.place_view), name="privacy_flag_place"),
            path("<int:pk>/end/", view(self.end_view), name="privacy_flag_end"),
            path("<int:pk>/answer/", view(self.answer_view), name="privacy_flag_answer"),
            *super().get_urls(),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields

    @admin.display(description="appeal")
    def appeal_state(self, flag: Flag) -> str:
        """That there is one, and what became of it; what it says is on the page of the answer."""
        appeal = getattr(flag, "appeal", None)
        return (appeal.get_answer_display() or _("Waits for an answer")) if appeal else _("None")

    def place_view(self, request: HttpRequest) -> HttpResponse:
        self.require(request)
        form = FlagForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self.page(request, form, _("Flag a conversation"))
        said = form.cleaned_data
        words = {"reason": said["reason"], "told": said["told"], "readers": said["readers"]}
        try:
            flag = flagging.flag(said["target"], by=request.user, **words)  # type: ignore[arg-type]
        except (flagging.AlreadyFlagged, NotFound) as refused:
            messages.error(request, self.refusals[type(refused)])
            return redirect(self.address("changelist"))
        messages.success(request, _("It is under review, and its author is told."))
        return redirect(self.address("change", flag.pk))

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = EndForm(request.POST if request.method == "POST" else None)

        def do(flag: Flag) -> None:
            flagging.unflag(flag, reason=form.cleaned_data["reason"], by=request.user)  # type: ignore[arg-type]

        return self.act_on(request, pk, form, _("End the review"), do, _("The review has ended."))

    def answer_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = AnswerForm(request.POST if request.method == "POST" else None)

        def do(flag: Flag) -> None:
            if not hasattr(flag, "appeal"):
                raise NotFound
            appeals.uphold(flag.appeal, told=form.cleaned_data["told"], by=request.user)  # type: ignore[arg-type]

        return self.act_on(
            request, pk, form, _("Answer the appeal"), do, _("The appeal is answered; the review goes on.")
        )


@admin.register(Reading)
class ReadingAdmin(ReadOnlyAdmin):
    """For auditors: who opened what, when, and under which hold or review."""

    list_display = ["at", "reader", "under", "key", "event"]
    list_select_related = ["reader"]
    search_fields = ["=key", "=event"]
    date_hierarchy = "at"
