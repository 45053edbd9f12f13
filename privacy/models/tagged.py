"""What carries a tag: the facts the policy judges, and its verdict, side by side in one row.

Whoever owns data inherits from `Tagged` and registers a holding; the sweep, the exporter and every reader then go by
these columns and the questions below. `hidden_from`, `purge_after` and `trains_until` are NULL for "never".
"""

import uuid
from datetime import datetime
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import models

from accounts import clock
from accounts.models import Workspace
from privacy import policy
from privacy.models.agreement import Agreed, agreement_of
from privacy.models.erasure import Erasure
from privacy.models.retagging import Retagging
from privacy.models.standing import Standing
from privacy.vocabulary import Reason, RetentionClass, Training

Row = TypeVar("Row", bound=models.Model, covariant=True)


class TaggedQuerySet(models.QuerySet[Row]):
    def visible(self, at: datetime) -> Self:
        """What its author may still see. Every reader asks this; invisible means invisible to all of them."""
        return self.filter(models.Q(hidden_from__isnull=True) | models.Q(hidden_from__gt=at) | _stays(at))

    def in_lists(self) -> Self:
        """What lists may show: what was begun as temporary is in none unless its author keeps it."""
        return self.filter(models.Q(temporary=False) | models.Q(kept=True))

    def ending(self, before: datetime) -> Self:
        """What comes to its end before that moment. NULL is never."""
        return self.filter(hidden_from__lt=before)

    def announced(self) -> Self:
        """Whose end its author is told of beforehand: not of what is temporary, nor of what staff has set apart."""
        return self.in_lists().filter(deleted_at__isnull=True, flagged_at__isnull=True, held=False)

    def places(self) -> "models.QuerySet[Workspace]":
        """The workspaces that these rows are in, in the order in which they are locked."""
        return Workspace.objects.filter(pk__in=self.order_by().values("workspace")).order_by("pk")

    def trusted(self) -> Self:
        """Rows whose tag is of the epoch that stands now, and that wait for no re-tag. Deletion needs neither, but a
        hold that has not reached them yet holds them all the same.
        """
        current = Standing.objects.filter(user=models.OuterRef("author"), epoch=models.OuterRef("tag_epoch"))
        standing = models.Q(workspace__kind=Workspace.Kind.WORK) | models.Exists(current)
        deleted = models.Q(deleted_at__isnull=False) & ~models.Exists(
            Retagging.objects.awaited().filter(hold__isnull=False)
        )
        return self.filter(deleted | (standing & ~models.Exists(Retagging.objects.awaited())))

    def due(self, at: datetime) -> Self:
        """What the sweep takes. NULL is never due, held is never due, and a stale tag decides nothing.

        Nor is what was deleted with an account to which its owner may still come back, whatever re-tagged it since.
        """
        may_return = Erasure.objects.filter(
            user=models.OuterRef("author"), asked_at=models.OuterRef("deleted_at"), due_at__gt=at
        )
        return self.filter(~models.Exists(may_return), purge_after__lte=at, held=False).trusted()

    def trainable(self, at: datetime) -> Self:
        """What may train at this moment: `policy.trains` in SQL."""
        allowed = Standing.objects.in_force(at).filter(
            user=models.OuterRef("author"), epoch=models.OuterRef("tag_epoch"), training=Training.ALLOW
        )
        agreed = Agreed.objects.filter(
            workspace=models.OuterRef("workspace"), epoch=models.OuterRef("tag_epoch"), agreement__training=True
        )
        personal = models.Q(models.Exists(allowed), workspace__kind=Workspace.Kind.PERSONAL)
        work = models.Q(models.Exists(agreed), workspace__kind=Workspace.Kind.WORK)
        return self.visible(at).filter(
            personal | work,
            ~models.Exists(Retagging.objects.awaited()),
            begun_epoch=models.F("tag_epoch"),
            trains_until__gt=at,
            temporary=False,
            deleted_at__isnull=True,
            flagged_at__isnull=True,
            held=False,
        )

    def apart(self, at: datetime) -> Self:
        """Of which a part may train at this moment by a permission of its own: `policy.apart` of what is stored."""
        in_force = Standing.objects.in_force(at).filter(
            user=models.OuterRef("author"), epoch=models.OuterRef("tag_epoch"), terms__isnull=False
        )
        return self.visible(at).filter(
            models.Exists(in_force),
            ~models.Exists(Retagging.objects.awaited()),
            workspace__kind=Workspace.Kind.PERSONAL,
            tag_reason__in=policy.APART,
            temporary=False,
            deleted_at__isnull=True,
            flagged_at__isnull=True,
            held=False,
        )


def _stays(at: datetime) -> models.Q:
    """What a re-tag is still to reach, had not ended when that was decided, and does not end by what was decided.

    Its stored end is none; the sweep does not go by it either (`trusted`).
    """
    quiet = models.ExpressionWrapper(
        models.Value(at, output_field=models.DateTimeField()) - models.OuterRef("last_activity_at"),
        output_field=models.DurationField(),
    )
    stays = models.Q(stays__isnull=True) | models.Q(stays__gt=quiet)
    waits = Retagging.objects.awaited().filter(stays, at__lt=models.OuterRef("hidden_from"))
    lasting = models.Q(temporary=False) | models.Q(kept=True)
    return models.Q(lasting, models.Exists(waits), deleted_at__isnull=True)


class Tagged(models.Model):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", models.PROTECT, related_name="+", editable=False)
    # NULL: erased. What is personal goes before its author does, so only rows of Work workspaces lose theirs.
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False)

    # Facts
    begun_at = models.DateTimeField(default=clock.now, editable=False)
    begun_epoch = models.PositiveIntegerField(null=True, editable=False)  # NULL: begun without a standing Allow
    last_activity_at = models.DateTimeField(default=clock.now, editable=False)
    temporary = models.BooleanField(default=False, editable=False)
    kept = models.BooleanField(default=False, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    flagged_at = models.DateTimeField(null=True, editable=False)
    held = models.BooleanField(default=False, editable=False)
    grace_until = models.DateTimeField(null=True, editable=False)

    # The tag
    tag_class = models.CharField(max_length=10, choices=[(c.value, c.value) for c in RetentionClass], editable=False)
    tag_reason = models.CharField(
        max_length=12, editable=False
    )  # a Reason; without choices, a new one migrates nothing
    tag_epoch = models.PositiveIntegerField(default=0, editable=False)
    tag_step = models.BigIntegerField(default=0, db_default=0, editable=False)  # the last Retagging to reach it
    trains_until = models.DateTimeField(null=True, editable=False)
    hidden_from = models.DateTimeField(null=True, editable=False)
    purge_after = models.DateTimeField(null=True, editable=False)

    TAG = ("tag_class", "tag_reason", "tag_epoch", "trains_until", "hidden_from", "purge_after")

    class Meta:
        abstract = True

    @property
    def is_unlisted(self) -> bool:
        """Whether it is temporary now: begun as that, and not kept since."""
        return self.temporary and not self.kept

    def facts(self, standing: policy.Standing) -> policy.Facts:
        """This row as the policy sees it at this moment, under its author's standing or its workspace's agreement."""
        expired = self.deleted_at is None and self.hidden_from is not None and self.hidden_from <= clock.now()
        personal = self.workspace.is_personal
        return policy.Facts(
            flags=policy.Flags(
                personal=personal,
                temporary=self.temporary,
                kept=self.kept,
                in_epoch=self.begun_epoch == policy.epoch(standing, self.agreement, personal=personal),
                begun_as_adult=standing.adult_since is not None and self.begun_at.date() >= standing.adult_since,
                deleted=self.deleted_at is not None,
                flagged=self.flagged_at is not None,
                held=self.held,
            ),
            last_activity=self.last_activity_at,
            deleted_at=self.deleted_at,
            flagged_at=self.flagged_at,
            grace_until=self.grace_until,
            expired_at=self.hidden_from if expired else None,
        )

    @property
    def agreement(self) -> policy.Agreement:
        """What is agreed on in its workspace."""
        return agreement_of(self.workspace)

    @property
    def tag(self) -> policy.Verdict:
        """The stored tag."""
        return policy.Verdict(
            retention_class=RetentionClass(self.tag_class),
            reason=Reason(self.tag_reason),
            trains_until=self.trains_until,
            hidden_from=self.hidden_from,
            purge_after=self.purge_after,
        )

    def put_tag(self, verdict: policy.Verdict, epoch: int) -> list[str]:
        """Set the tag's columns to `verdict`; returns their names for `save(update_fields=…)`."""
        values: dict[str, Any] = {
            "tag_class": verdict.retention_class,
            "tag_reason": verdict.reason,
            "tag_epoch": epoch,
            "trains_until": verdict.trains_until,
            "hidden_from": verdict.hidden_from,
            "purge_after": verdict.purge_after,
        }
        for name, value in values.items():
            setattr(self, name, value)
        return list(values)
