"""Re-tags that are too many for one request: what is still to be done, and by which answer.

One row is one act (an answer, an agreement, a hold) that concerns more rows than its request re-tags, with what was
decided by it and when. A tagged row remembers in `tag_step` the last of these that has reached it: what is older than a
row here waits for it. Numbers decide, never clocks, and acts on the same rows get theirs one after the other, since
each holds the lock of the standing or of what is agreed on. A row without a workspace is about everybody: every tag is
held against the policy of today (privacy/retagging.py).
"""

from datetime import datetime

from django.conf import settings
from django.db import models

from accounts import clock
from accounts.models import Workspace
from privacy import policy
from privacy.models.agreement import Agreement
from privacy.models.hold import Hold
from privacy.models.terms import Terms
from privacy.vocabulary import Training


class RetaggingQuerySet(models.QuerySet["Retagging"]):
    def open(self) -> "RetaggingQuerySet":
        return self.filter(finished_at__isnull=True)

    def silent(self, before: datetime) -> "RetaggingQuerySet":
        """Open ones at which nobody has worked since then."""
        return self.open().filter(worked_at__lt=before)

    def awaited(self) -> "RetaggingQuerySet":
        """Those that have still to reach a tagged row. For a subquery of it."""
        authored = models.Q(author__isnull=True) | models.Q(author=models.OuterRef("author"))
        return self.open().filter(authored, workspace=models.OuterRef("workspace"), pk__gt=models.OuterRef("tag_step"))


class Retagging(models.Model):
    workspace = models.ForeignKey(Workspace, models.CASCADE, null=True, blank=True, related_name="+")
    # Only what this person wrote there; NULL: all of it.
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+")
    hold = models.ForeignKey(Hold, models.CASCADE, null=True, blank=True, related_name="+")
    reason = models.TextField(blank=True)  # of a re-tag for everybody; who asked stands in the ledger

    # What was decided: the standing, or the agreement.
    at = models.DateTimeField(default=clock.now)
    training = models.CharField(max_length=5, null=True, blank=True)  # noqa: DJ001 — as in Standing
    keep_history = models.BooleanField(default=False)
    epoch = models.PositiveIntegerField(default=0)
    adult_since = models.DateField(null=True, blank=True)
    terms = models.ForeignKey(Terms, models.PROTECT, null=True, blank=True, related_name="+")
    agreement = models.ForeignKey(Agreement, models.PROTECT, null=True, blank=True, related_name="+")
    # How long anything ordinary stays under it, from the last activity on; NULL: for good.
    stays = models.DurationField(null=True, blank=True)

    worked_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)  # of everybody's, those that said something else
    reached = models.JSONField(default=dict, blank=True)  # of everybody's, the last primary key in each holding

    objects = RetaggingQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [("retag_everybody", "Can have every conversation tagged anew")]
        indexes = [
            models.Index(fields=["workspace"], name="open_retagging", condition=models.Q(finished_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"Re-tagging of {self.at:%Y-%m-%d %H:%M}"

    @property
    def decided(self) -> policy.Standing:
        """The standing that was decided by it; nobody's where the agreement counts."""
        training = Training(self.training) if self.training else None
        return policy.Standing(training, self.keep_history, epoch=self.epoch, adult_since=self.adult_since)

    @property
    def schedule(self) -> policy.Schedule:
        assert self.workspace
        if self.workspace.is_personal:
            return self.terms.schedule if self.terms else policy.Schedule()
        signed = self.agreement
        agreed = policy.Agreement(signed.lifetime, signed.training) if signed else policy.Agreement()
        return policy.Schedule(agreement=policy.Agreement(agreed.lifetime, agreed.training, self.epoch))
