"""People and workspaces for staff: who is there and what they are granted; no passwords, no words of theirs."""

import json
from typing import Any

import allauth.account.admin  # noqa: F401  # so that its own page on addresses is registered before it is taken away
from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.account.views import logout, password_change
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Count, ManyToManyField, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponseBase

from accounts.changes import age_changed, left, signed_out
from accounts.models import Membership, User, Workspace
from accounts.plans import PERSONAL_PLANS, Plan
from accounts.staff import StaffAdmin


def like_everybody(view: Any) -> Any:
    """A view of the account pages in place of the administration's own."""

    def stand_in(request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
        response: HttpResponseBase = view(request)
        return response

    return stand_in


# Staff signs in and out and changes a password like everybody: attempts are counted, mail is verified, and open
# connections hear of it.
admin.site.logout = like_everybody(logout)  # type: ignore[method-assign]
admin.site.password_change = like_everybody(password_change)  # type: ignore[method-assign]
admin.site.login = login_not_required(  # type: ignore[method-assign]
    secure_admin_login(admin.site.login)  # type: ignore[no-untyped-call]
)
# Addresses change through their owner; an edit here would part them from User.email.
admin.site.unregister(EmailAddress)
admin.site.unregister(Group)


@admin.register(Group)
class RightsAdmin(StaffAdmin, GroupAdmin):
    """Groups of rights, as Django has them; a plain list of boxes serves every reader, its two columns do not."""

    filter_horizontal = ()
    formfield_overrides = {**StaffAdmin.formfield_overrides, ManyToManyField: {"widget": forms.CheckboxSelectMultiple}}


class SeenOnly(admin.StackedInline):
    """Rows that staff reads and does not touch. (Django's tables of rows have columns without a name.)"""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class AddressesSeen(SeenOnly):
    model = EmailAddress
    fields = [("email", "primary", "verified")]


class MembershipsSeen(SeenOnly):
    model = Membership
    fields = [("workspace", "role", "joined_at")]
    readonly_fields = ["joined_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("workspace", "user")


@admin.register(User)
class UserAdmin(StaffAdmin):
    list_display = ["email", "display_name", "plan", "is_staff", "is_active", "joined_at", "last_login"]
    list_filter = ["personal_workspace__plan", "is_active", "is_staff", "joined_at"]
    list_select_related = ["personal_workspace"]
    search_fields = ["email", "display_name", "public_id"]
    ordering = ["-joined_at"]
    date_hierarchy = "joined_at"
    formfield_overrides = RightsAdmin.formfield_overrides
    inlines = [MembershipsSeen, AddressesSeen]
    readonly_fields = ["public_id", "email", "age_refused_at", "joined_at", "last_login"]
    fieldsets = [
        (None, {"fields": ["email", "display_name", "public_id"]}),
        ("About", {"fields": ["locale", "time_zone", "region", "date_of_birth", "age_refused_at"]}),
        ("Access", {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        ("When", {"fields": ["joined_at", "last_login"]}),
    ]

    @admin.display(ordering="personal_workspace__plan")
    def plan(self, person: User) -> str:
        return person.personal_workspace.get_plan_display()

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: User, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "date_of_birth" in form.changed_data:
            age_changed(obj)
        if "is_active" in form.changed_data and not obj.is_active:
            signed_out(obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # people sign up by themselves, `createsuperuser` makes the first staff

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # erasure has its own way, which reaches everything and leaves the evidence

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Staff cannot make itself more than it is."""
        granting = [] if request.user.is_superuser else ["is_staff", "is_superuser", "groups"]
        return [*self.readonly_fields, *granting]


class MembershipFormSet(BaseInlineFormSet):
    def clean(self) -> None:
        """A Work workspace always has an owner."""
        super().clean()
        kept = [form.cleaned_data for form in self.forms if form.is_valid() and form.cleaned_data]
        owners = [row for row in kept if not row.get("DELETE") and row.get("role") == Membership.Role.OWNER]
        if not self.instance.is_personal and not owners:
            raise forms.ValidationError("A Work workspace needs at least one owner.")


class MembershipForm(forms.ModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "user" in self.fields:
            # Who it is stands; and the searching widget would ask the database once for every row.
            user = self.fields["user"]
            user.disabled = True
            user.widget = forms.Select(choices=[(self.instance.user_id, str(self.instance.user))])


class MembershipInline(admin.StackedInline):
    model = Membership
    fields = [("user", "role", "joined_at")]
    form = MembershipForm
    formset = MembershipFormSet
    extra = 0
    autocomplete_fields = ["user"]
    readonly_fields = ["joined_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "workspace")

    def has_add_permission(self, request: HttpRequest, obj: Workspace | None = None) -> bool:
        return super().has_add_permission(request, obj) and not (obj and obj.is_personal)

    def has_change_permission(self, request: HttpRequest, obj: Workspace | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.is_personal)

    def has_delete_permission(self, request: HttpRequest, obj: Workspace | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_personal)


class ShallowDecoder(json.JSONDecoder):
    """Takes text that is nested too deeply for text that is not JSON."""

    def decode(self, s: str, *args: Any) -> Any:
        try:
            return super().decode(s, *args)
        except RecursionError as error:
            raise json.JSONDecodeError("nested too deeply", "", 0) from error


class WorkspaceForm(forms.ModelForm):
    """Kind and person of a workspace are fixed; what staff opens here is a Work workspace."""

    overrides = forms.JSONField(
        required=False,
        decoder=ShallowDecoder,
        help_text='What this workspace is granted instead of what its plan grants, for example {"messages": 500}.',
    )

    class Meta:
        model = Workspace
        fields = ["name", "plan", "overrides"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            self.instance.kind, self.instance.plan = Workspace.Kind.WORK, Plan.WORK
        elif "plan" in self.fields and self.instance.is_personal:
            self.fields["plan"].choices = [(plan, plan.label) for plan in PERSONAL_PLANS]  # type: ignore[attr-defined]

    def clean_overrides(self) -> Any:
        return self.cleaned_data["overrides"] or {}


@admin.register(Workspace)
class WorkspaceAdmin(StaffAdmin):
    form = WorkspaceForm
    list_display = ["name", "kind", "plan", "personal_to", "people", "overridden", "created_at"]
    list_filter = ["kind", "plan", "created_at"]
    list_select_related = ["personal_to"]
    search_fields = ["name", "public_id", "personal_to__email"]
    ordering = ["-created_at"]
    inlines = [MembershipInline]
    readonly_fields = ["public_id", "kind", "personal_to", "granted", "created_at"]

    def get_fields(self, request: HttpRequest, obj: Workspace | None = None) -> Any:
        if obj is None:
            return ["name", "overrides"]
        return ["name", "public_id", "kind", "personal_to", "plan", "overrides", "granted", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Workspace | None = None) -> list[str]:
        fixed_plan = ["plan"] if obj and not obj.is_personal else []
        return [*self.readonly_fields, *fixed_plan]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        workspaces: QuerySet[Workspace] = super().get_queryset(request)
        return workspaces.annotate(number_of_people=Count("memberships"))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save the memberships; who lost one no longer follows what is written there."""
        super().save_formset(request, form, formset, change)
        for membership in formset.deleted_objects:
            left(membership.user, membership.workspace)

    @admin.display(ordering="number_of_people")
    def people(self, workspace: Workspace) -> int:
        return workspace.number_of_people  # type: ignore[attr-defined, no-any-return]

    @admin.display(boolean=True)
    def overridden(self, workspace: Workspace) -> bool:
        return bool(workspace.overrides)

    @admin.display(description="what it is granted")
    def granted(self, workspace: Workspace) -> str:
        grant = workspace.grant
        return (
            f"{grant.messages} messages per person in {grant.window}, {grant.context_tokens} tokens of context, "
            f"attachments {'yes' if grant.attachments else 'no'}, models {', '.join(grant.models)}, {grant.price}"
        )

    def has_delete_permission(self, request: HttpRequest, obj: Workspace | None = None) -> bool:
        return False  # conversations live in it, and their end is governed elsewhere
