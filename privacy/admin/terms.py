"""Terms for staff: drafts are written here; publishing, taking back and moving a deadline are acts of their own."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from accounts import clock
from accounts.plans import PERSONAL_PLANS, Plan
from accounts.staff import MomentField, StaffAdmin
from privacy import publishing
from privacy.admin.figures import FiguresMixin
from privacy.models import Terms, TermsTranslation
from privacy.prose import retention_table, to_html
from privacy.publishing import NotPossible
from privacy.rehearsal import rehearse
from privacy.vocabulary import TermsState

PUBLISH = "privacy.publish_terms"
TEXT = ("slug", "language", "title", "summary", "body")
CONCERNS = ("audience", "needs_answer", "effective_at", "deadline", "reminder_days")
PROMISES = ("training_years", "standard_days", "temporary_hours", "deletion_hours")


class DraftForm(forms.ModelForm):
    audience = forms.MultipleChoiceField(
        choices=[(plan.value, Plan(plan).label) for plan in PERSONAL_PLANS],
        widget=forms.CheckboxSelectMultiple,
        initial=[plan.value for plan in PERSONAL_PLANS],
        help_text="The personal plans whose people these terms concern.",
    )

    class Meta:
        model = Terms
        fields = (*TEXT, *CONCERNS, *PROMISES)


class WhenForm(forms.Form):
    at = MomentField(required=False, label="Publish at", help_text="Left empty: at once.")


class MoveForm(forms.Form):
    to = MomentField(label="New deadline")
    reason = forms.CharField(
        max_length=500, widget=forms.Textarea(attrs={"rows": 3}), help_text="Everybody can read it on the terms' page."
    )


class SlugForm(forms.Form):
    slug = forms.SlugField(help_text="The new version's name in addresses, for example 2025-08-28.")

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if Terms.objects.filter(slug=slug).exists() or slug in {"current", "json"}:
            raise forms.ValidationError("There is a version of this name. Choose another.")
        return slug


class DraftsOnly:
    """Written while the version is a draft, read afterwards: the database would refuse a change."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and super().has_change_permission(request, obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and super().has_delete_permission(request, obj)  # type: ignore[misc]


def _is_draft(obj: Terms | None) -> bool:
    return obj is None or obj.published_at is None


class TranslationInline(DraftsOnly, admin.StackedInline):
    model = TermsTranslation
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and super().has_add_permission(request, obj)


@admin.register(Terms)
class TermsAdmin(FiguresMixin, DraftsOnly, StaffAdmin):
    form = DraftForm
    inlines = [TranslationInline]
    list_display = ["title", "slug", "state", "published_at", "deadline", "needs_answer"]
    readonly_fields = ["published_at", "digest"]
    fieldsets = [
        (None, {"fields": TEXT}),
        ("Whom it concerns", {"fields": CONCERNS}),
        ("What it promises", {"fields": PROMISES}),
        ("Publication", {"fields": ["published_at", "digest"]}),
    ]
    change_form_template = "admin/privacy/terms_change.html"

    @admin.display(description="state")
    def state(self, terms: Terms) -> str:
        return terms.state(clock.now()).value

    def get_urls(self) -> list[URLPattern]:
        acts = {
            "publish": self.publish_view,
            "take-back": self.take_back_view,
            "move-deadline": self.move_deadline_view,
            "copy": self.copy_view,
        }
        mine = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"privacy_terms_{name.replace('-', '_')}")
            for name, view in acts.items()
        ]
        return [*mine, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        terms = self.get_object(request, object_id)
        extra = (
            {"state": terms.state(clock.now()).value, "may_publish": request.user.has_perm(PUBLISH)} if terms else {}
        )
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **extra})

    # --- Acts ------------------------------------------------------------------

    def publish_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The preview, the rehearsal, and the act itself."""
        terms = self._of(request, pk)
        form = WhenForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                done = publishing.publish(terms, by=request.user, at=form.cleaned_data["at"])  # type: ignore[arg-type]
            except NotPossible as refused:
                for reason in refused.reasons:
                    form.add_error(None, reason)
            else:
                scheduled = done.state(clock.now()) is TermsState.SCHEDULED
                said = _("“%(title)s” is scheduled.") if scheduled else _("“%(title)s” is published.")
                messages.success(request, said % {"title": done.title})
                return redirect("admin:privacy_terms_change", pk)
        at = (form.cleaned_data.get("at") if form.is_bound and form.is_valid() else None) or clock.now()
        variants: list[Terms | TermsTranslation] = [terms, *terms.translations.all()]
        context = {
            "form": form,
            "problems": publishing.problems(terms, at),
            "rehearsal": rehearse(terms, at),
            "previews": [{"text": one, "body": to_html(one.body)} for one in variants],
            "schedule": retention_table(terms),
        }
        return self._page(request, terms, "admin/privacy/publish.html", _("Publish"), context)

    def take_back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A scheduled version becomes a draft again."""
        terms = self._of(request, pk)
        if request.method == "POST":
            try:
                publishing.take_back(terms, by=request.user)  # type: ignore[arg-type]
                messages.success(request, _("“%(title)s” is a draft again.") % {"title": terms.title})
            except NotPossible as refused:
                messages.error(request, str(refused))
            return redirect("admin:privacy_terms_change", pk)
        return self._page(request, terms, "admin/privacy/take_back.html", _("Take back"), {})

    def move_deadline_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """More time for everybody, for a reason that everybody reads."""
        terms = self._of(request, pk)
        form = MoveForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            try:
                to, reason = form.cleaned_data["to"], form.cleaned_data["reason"]
                publishing.move_deadline(terms, to, reason, by=request.user)  # type: ignore[arg-type]
            except NotPossible as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, _("The deadline is moved."))
                return redirect("admin:privacy_terms_change", pk)
        context = {"form": form, "moves": terms.moves.all()}
        return self._page(request, terms, "admin/privacy/move_deadline.html", _("Move the deadline"), context)

    def copy_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A new draft from this version."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        terms = get_object_or_404(Terms, pk=pk)
        form = SlugForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            draft = publishing.copy_as_draft(terms, form.cleaned_data["slug"])
            return redirect("admin:privacy_terms_change", draft.pk)
        return self._page(request, terms, "admin/privacy/copy.html", _("New draft from this version"), {"form": form})

    def _of(self, request: HttpRequest, pk: int) -> Terms:
        if not request.user.has_perm(PUBLISH):
            raise PermissionDenied
        return get_object_or_404(Terms.objects.prefetch_related("translations", "moves"), pk=pk)

    def _page(
        self, request: HttpRequest, terms: Terms, template: str, title: str, more: dict[str, Any]
    ) -> TemplateResponse:
        form = more.get("form")
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "subtitle": str(terms),
            "opts": self.opts,
            "terms": terms,
            "state": terms.state(clock.now()).value,
            **more,
        }
        return TemplateResponse(request, template, context, status=422 if form is not None and form.errors else 200)
