"""Signing a Work workspace's agreement: a new version with its evidence, and new tags for everything written there."""

from collections.abc import Mapping

from django.db import transaction

from accounts import clock
from accounts.errors import NotFound
from accounts.models import Membership, User, Workspace
from privacy import holdings, ledger, policy, retagging, standings
from privacy.errors import StaleAnswer
from privacy.models import Agreed, Agreement
from privacy.vocabulary import Act, Source


@transaction.atomic
def sign(
    *,
    owner: User,
    workspace: Workspace,
    retention_days: int | None,
    training: bool,
    source: Source,
    seen: int | None,
    context: Mapping[str, str] | None = None,
) -> Agreement:
    """Agree for `workspace` on how long its conversations are kept (None: for ever) and whether they may train.

    `seen` is the version that was in force (its primary key) where the owner made up their mind. Saying again what is
    in force signs nothing. Raises NotFound for anybody but an owner, StaleAnswer if another was signed since `seen`.
    """
    User.objects.select_for_update(no_key=True).filter(pk=owner.pk).values_list("pk").first()
    agreed = Agreed.objects.for_change(workspace)
    owners = Membership.objects.filter(workspace=workspace, role=Membership.Role.OWNER, user__is_active=True)
    if workspace.is_personal or not owners.filter(user=owner).exists():
        raise NotFound
    if seen != agreed.agreement_id:
        raise StaleAnswer(elsewhere=True)
    before = agreed.agreement
    if before and (before.retention_days, before.training) == (retention_days, training):
        return before
    if training != bool(before and before.training):
        agreed.epoch += 1
    said = {
        "workspace": str(workspace.public_id),
        "retention_days": retention_days,
        "training": training,
        "epoch": agreed.epoch,
    }
    event = ledger.record(Act.AGREEMENT_SIGNED, source=source, subject=owner, actor=owner, detail=said, context=context)
    agreed.agreement = Agreement.objects.create(
        workspace=workspace, retention_days=retention_days, training=training, signed_at=event.at, event=event.key
    )
    agreed.save()
    _carry_out(workspace)
    return agreed.agreement


@transaction.atomic
def forget_permission(workspace: Workspace, training: bool, epoch: int) -> bool:
    """Take back what a restored backup says of training, where a newer version (`training`, under `epoch`) was signed
    that it does not know; retention stays. Returns whether anything changed.
    """
    agreed = Agreed.objects.for_change(workspace)
    before = agreed.agreement
    if agreed.epoch >= epoch and bool(before and before.training) == training:
        return False
    days = before.retention_days if before else None
    agreed.epoch = max(agreed.epoch, epoch) + 1
    said = {"workspace": str(workspace.public_id), "retention_days": days, "training": False, "epoch": agreed.epoch}
    event = ledger.record(Act.AGREEMENT_SIGNED, source=Source.OPERATOR, detail={**said, "restored": True})
    agreed.agreement = Agreement.objects.create(
        workspace=workspace, retention_days=days, training=False, signed_at=event.at, event=event.key
    )
    agreed.save()
    _carry_out(workspace)
    return True


def _carry_out(workspace: Workspace) -> None:
    """Re-tag everything of the workspace under what is agreed on now, and tell its members' holders once it is true."""
    schedule = standings.schedule_for(workspace, None)
    retagging.carry_out(retagging.Decided(workspace, policy.Standing(), schedule, clock.now()))
    members = list(workspace.memberships.values_list("user", flat=True))
    holdings.tell_standing_changed(*members)
