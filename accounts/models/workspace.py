"""Where people work: a workspace holds a plan; everyone has a personal one, Work ones have members."""

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction

from accounts import clock
from accounts.plans import PERSONAL_PLANS, Grant, Plan, check_overrides, grant_of

if TYPE_CHECKING:
    from accounts.models.user import User


class Kind(models.TextChoices):
    PERSONAL = "personal", "Personal"
    WORK = "work", "Work"


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMINISTRATOR = "admin", "Administrator"
    MEMBER = "member", "Member"


class WorkspaceQuerySet(models.QuerySet["Workspace"]):
    def open_to(self, user: "User") -> "WorkspaceQuerySet":
        """The workspaces `user` may work in, the personal one first.

        A personal workspace is open to its own person only, whatever memberships say.
        """
        own_or_work = models.Q(personal_to=user) | models.Q(kind=Kind.WORK)
        return self.filter(own_or_work, memberships__user=user).order_by(
            models.Case(models.When(kind=Kind.PERSONAL, then=0), default=1), "name", "pk"
        )

    @transaction.atomic
    def open_personal(self, *, owner: "User") -> "Workspace":
        workspace = self.create(kind=Kind.PERSONAL, plan=Plan.FREE, personal_to=owner, name="Personal")
        Membership.objects.create(user=owner, workspace=workspace, role=Role.OWNER)
        return workspace

    @transaction.atomic
    def open_work(self, *, owner: "User", name: str) -> "Workspace":
        workspace = self.create(kind=Kind.WORK, plan=Plan.WORK, name=name)
        Membership.objects.create(user=owner, workspace=workspace, role=Role.OWNER)
        return workspace


class Workspace(models.Model):
    Kind = Kind

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    plan = models.CharField(max_length=8, choices=Plan.choices)
    name = models.CharField(max_length=80)
    personal_to = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="personal_workspace"
    )
    overrides = models.JSONField(default=dict, blank=True)
    members: "models.ManyToManyField[User, Membership]" = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="workspaces"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind=Kind.PERSONAL, personal_to__isnull=False, plan__in=PERSONAL_PLANS)
                | models.Q(kind=Kind.WORK, personal_to__isnull=True, plan=Plan.WORK),
                name="workspace_kind_fits_its_plan_and_owner",
                violation_error_message="A personal workspace is Free, Pro or Max; a Work workspace is Work.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        try:
            check_overrides(self.overrides)
        except ValidationError as error:
            raise ValidationError({"overrides": error.messages}) from error

    @property
    def is_personal(self) -> bool:
        return self.kind == Kind.PERSONAL

    @property
    def grant(self) -> Grant:
        return grant_of(self.plan, self.overrides)


class Membership(models.Model):
    Role = Role

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role.choices, default=Role.MEMBER)
    joined_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "workspace"], name="one_membership_per_workspace")]

    def __str__(self) -> str:
        # Staff's log keeps these words after the person has gone, so they name nobody.
        return f"{self.get_role_display()} {self.pk} of {self.workspace}"

    def clean(self) -> None:
        if self.workspace_id and self.workspace.is_personal and self.workspace.personal_to_id != self.user_id:
            raise ValidationError("A personal workspace has no members but its own person.")
