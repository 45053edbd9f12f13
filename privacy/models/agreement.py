"""A Work workspace's agreement: its versions, and the one in force, which every turn there and every signing locks.

Versions are only ever added: triggers refuse UPDATE, DELETE and TRUNCATE. Who signed stands in the ledger.
"""

from typing import TYPE_CHECKING

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models

from accounts import clock
from accounts.models import Workspace
from privacy import policy
from privacy.policy import Duration

if TYPE_CHECKING:
    from typing import Literal

LONGEST = 36_500  # days


class Agreement(models.Model):
    """One version: what an owner has signed for the workspace."""

    workspace = models.ForeignKey(Workspace, models.PROTECT, related_name="agreements")
    retention_days = models.PositiveIntegerField(
        "days until chats are hidden",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST)],
        help_text="Counted from the last message. Left empty: never.",
    )
    training = models.BooleanField("chats may train models", default=False)
    signed_at = models.DateTimeField(default=clock.now)
    event = models.UUIDField(unique=True, editable=False)  # key of the ledger's event

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(retention_days__isnull=True)
                | models.Q(retention_days__gte=1, retention_days__lte=LONGEST),
                name="agreed_days_are_days",
            )
        ]

    def __str__(self) -> str:
        return f"Agreement of {self.workspace} of {self.signed_at:%Y-%m-%d}"

    @property
    def lifetime(self) -> Duration | None:
        return Duration(days=self.retention_days) if self.retention_days else None


class AgreedQuerySet(models.QuerySet["Agreed"]):
    def for_change(self, workspace: Workspace) -> "Agreed":
        """What is agreed on in `workspace`, locked FOR UPDATE. Waits for turns being begun there."""
        return self._held(workspace, "UPDATE")

    def for_turn(self, workspace: Workspace) -> "Agreed":
        """The same, locked FOR SHARE: nothing is signed between the reading and the stored question."""
        return self._held(workspace, "SHARE")

    def _held(self, workspace: Workspace, strength: "Literal['UPDATE', 'SHARE']") -> "Agreed":
        if not _lock(workspace.pk, strength):
            self.bulk_create([Agreed(workspace=workspace)], ignore_conflicts=True)
            _lock(workspace.pk, strength)
        held = self.select_related("agreement").get(pk=workspace.pk)
        workspace.agreed = held  # what was read before the lock is out of date
        return held


def _lock(workspace: int, strength: str) -> bool:
    """In a statement of its own: see `privacy.models.standing`."""
    with connection.cursor() as cursor:
        query = f"SELECT 1 FROM privacy_agreed WHERE workspace_id = %s FOR {strength}"  # noqa: S608 — one of two words
        cursor.execute(query, [workspace])
        return bool(cursor.rowcount)


class Agreed(models.Model):
    """What is in force in one Work workspace: one row each, made when somebody first writes or signs there."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, primary_key=True, related_name="agreed")
    agreement = models.ForeignKey(Agreement, models.PROTECT, null=True, related_name="+")
    epoch = models.PositiveIntegerField(default=0)  # counted up whenever training is allowed or ended

    objects = AgreedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"What is agreed on in {self.workspace}"

    def facts(self) -> policy.Agreement:
        """This agreement as the policy sees it."""
        if self.agreement is None:
            return policy.Agreement(epoch=self.epoch)
        return policy.Agreement(self.agreement.lifetime, self.agreement.training, self.epoch)


def agreement_of(workspace: Workspace) -> policy.Agreement:
    """What is agreed on in `workspace`; nothing in a personal one. No query where `workspace__agreed__agreement` is
    selected with it.
    """
    agreed = None if workspace.is_personal else getattr(workspace, "agreed", None)
    return agreed.facts() if agreed else policy.Agreement()
