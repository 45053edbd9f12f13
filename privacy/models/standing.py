"""What the ledger says of each person now: one row each, which every choice and every turn locks."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection, models

from privacy import policy
from privacy.models.terms import Terms
from privacy.vocabulary import Training

if TYPE_CHECKING:
    from accounts.models import User


class StandingQuerySet(models.QuerySet["Standing"]):
    def for_change(self, user: "User") -> "Standing":
        """The standing of `user`, locked FOR UPDATE, made if there is none. Waits for turns being begun."""
        self.bulk_create([Standing(user=user)], ignore_conflicts=True)
        return self.select_for_update(of=("self",)).select_related("terms").get(user=user)

    def for_turn(self, user_id: int) -> "Standing | None":
        """The standing of `user`, locked FOR SHARE: no choice lands between the gate and the stored question."""
        # Django's ORM has no FOR SHARE.
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM privacy_standing WHERE user_id = %s FOR SHARE", [user_id])
        return self.select_related("terms").filter(user_id=user_id).first()


class Standing(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="standing")
    terms = models.ForeignKey(Terms, models.PROTECT, null=True, blank=True, related_name="+")
    training = models.CharField(  # noqa: DJ001 — no answer is not an answer, and not an empty one
        max_length=5, null=True, blank=True, choices=[(answer.value, answer.words) for answer in Training]
    )
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

    def facts(self, **more: Any) -> policy.Standing:
        """This standing as the policy sees it; `more` carries what stands elsewhere (age, suspension)."""
        return policy.Standing(
            training=Training(self.training) if self.training else None,
            keep_history=self.keep_history,
            epoch=self.epoch,
            **more,
        )
