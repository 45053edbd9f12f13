"""What the ledger says of each person now: one row each, which every choice and every turn locks."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from django.conf import settings
from django.db import connection, models
from django.db.models.expressions import RawSQL

from accounts import clock
from accounts.errors import NotFound
from privacy import policy
from privacy.models.terms import Terms, TermsQuerySet
from privacy.vocabulary import Training

if TYPE_CHECKING:
    from accounts.models import User


class StandingQuerySet(models.QuerySet["Standing"]):
    def for_change(self, user: "User") -> "Standing":
        """The standing of `user`, locked FOR UPDATE, made if there is none. Waits for turns being begun.

        Raises NotFound for somebody who has been erased meanwhile.
        """
        if not _lock(user.pk, "UPDATE"):
            self.bulk_create([Standing(user=user)], ignore_conflicts=True)
            _lock(user.pk, "UPDATE")
        try:
            return self.whole().get(user=user)
        except Standing.DoesNotExist:
            raise NotFound from None

    def for_turn(self, user_id: int) -> "Standing | None":
        """The standing of `user`, locked FOR SHARE: no choice lands between the gate and the stored question."""
        _lock(user_id, "SHARE")
        return next(iter(self.whole().filter(user_id=user_id)), None)

    def whole(self, *, at: datetime | None = None) -> "StandingQuerySet":
        """With the terms answered, from when on that answer rests, and the person as they are now.

        Age is judged by this person, not by an older copy.
        """
        resting = RawSQL(RESTING_FROM, [at or clock.now()], models.DateTimeField())  # noqa: S611 — a constant
        return self.select_related("terms", "user").annotate(suspended_from=resting)

    def in_force(self, at: datetime) -> "StandingQuerySet":
        """Standings that do not rest at that moment: `policy.suspended` in SQL."""
        return self.exclude(models.Exists(_unanswered(at).due(at)))


# The earliest moment until which a version of `_unanswered` may be left so: `dues` in SQL of its own, which every turn
# reads under its lock. The ORM takes a millisecond to put the same together. Not for a subquery: it names its table.
RESTING_FROM = """(
    SELECT min(greatest(
        coalesce(asking.deadline, asking.published_at),
        (SELECT max(move.deadline) FROM privacy_deadlinemove AS move WHERE move.terms_id = asking.id)
    ))
    FROM accounts_workspace AS workspace
        JOIN privacy_terms AS answered ON answered.id = privacy_standing.terms_id
        JOIN privacy_terms AS asking ON (asking.published_at, asking.id) > (answered.published_at, answered.id)
    WHERE workspace.personal_to_id = privacy_standing.user_id
        AND asking.needs_answer AND asking.published_at <= %s AND asking.audience @> ARRAY[workspace.plan]
)"""


def _unanswered(at: datetime) -> TermsQuerySet:
    """Versions newer than the one a standing answered, which ask people on its person's plan. For a subquery."""
    asking = Terms.objects.asking(at, models.OuterRef("user__personal_workspace__plan"))
    return asking.newer_than(models.OuterRef("terms__published_at"), models.OuterRef("terms"))


def _lock(user_id: int, strength: Literal["UPDATE", "SHARE"]) -> bool:
    """Lock the row before it is read, in a statement of its own; says whether there is one.

    A statement that waits for its lock sees the locked row as it has become, but what it joins as that was before the
    wait: terms and person would be those of then. Nor has Django's ORM FOR SHARE.
    """
    with connection.cursor() as cursor:
        query = f"SELECT 1 FROM privacy_standing WHERE user_id = %s FOR {strength}"  # noqa: S608 — one of two words
        cursor.execute(query, [user_id])
        return bool(cursor.rowcount)


class Standing(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="standing")
    terms = models.ForeignKey(Terms, models.PROTECT, null=True, blank=True, related_name="+")
    training = models.CharField(  # noqa: DJ001 — no answer is not an answer, and not an empty one
        max_length=5, null=True, blank=True, choices=[(answer.value, answer.words) for answer in Training]
    )
    despite_gpc = models.BooleanField(default=False)  # allowed although the browser asks sites not to share data
    keep_history = models.BooleanField(default=False)
    epoch = models.PositiveIntegerField(default=0)  # counted up whenever the answer changes; never a clock
    since = models.DateTimeField(null=True, blank=True)

    objects = StandingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(training__isnull=True) | models.Q(training__in=[a.value for a in Training]),
                name="training_is_an_answer",
            )
        ]

    def __str__(self) -> str:
        return f"Standing of {self.user_id}"

    @property
    def answer(self) -> Training | None:
        return Training(self.training) if self.training else None

    @property
    def state(self) -> str:
        """A name for exactly this standing: a question put beside another one has been answered since."""
        return f"{self.terms_id}/{self.epoch}/{self.training}/{self.keep_history}"

    def stands_again(self) -> None:
        """No newer terms are unanswered any more."""
        vars(self).pop("suspended_from", None)

    def facts(self, **more: Any) -> policy.Standing:
        """This standing as the policy sees it; `more` carries what stands elsewhere (age)."""
        return policy.Standing(
            training=self.answer,
            keep_history=self.keep_history,
            epoch=self.epoch,
            suspended_from=getattr(self, "suspended_from", None),  # read by `whole()`
            **more,
        )
