"""Versions of the terms: draft, scheduled, published, superseded.

What people see of a version is sealed when it is scheduled or published: the database refuses any change from then on
(privacy/migrations/0005_versions_of_terms.py). Only its deadline can still be moved, to a later day and by rows of
their own (`DeadlineMove`), each with a reason that everybody can read.
"""

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models.functions import Coalesce, Greatest
from django.urls import reverse

from accounts import clock
from accounts.plans import PERSONAL_PLANS, Plan
from privacy.policy import Duration, Schedule
from privacy.vocabulary import TermsState

REMINDER_DAYS = (30, 14, 7, 3, 1, 0)


def every_personal_plan() -> list[str]:
    return [plan.value for plan in PERSONAL_PLANS]


def usual_reminder_days() -> list[int]:
    return list(REMINDER_DAYS)


def _due() -> Greatest:
    """Until when people who answered an older version may leave this one unanswered, moves of its deadline included.

    Without a deadline: not at all.
    """
    moved = DeadlineMove.objects.filter(terms=models.OuterRef("pk")).order_by("-deadline").values("deadline")[:1]
    return Greatest(
        Coalesce("deadline", "published_at", output_field=models.DateTimeField()),
        models.Subquery(moved),  # GREATEST passes over NULL
        output_field=models.DateTimeField(),
    )


# Whether `terms` asks the person of `workspace`, who has `answered` a version or (NULL) none: for statements by hand.
ASKS = """(
    terms.published_at <= %(now)s AND terms.needs_answer AND terms.audience @> ARRAY[workspace.plan]
    AND CASE WHEN answered.id IS NULL THEN coalesce(terms.effective_at <= %(now)s, true)
        ELSE (terms.published_at, terms.id) > (answered.published_at, answered.id) END
)"""


class TermsQuerySet(models.QuerySet["Terms"]):
    def published(self, at: datetime) -> "TermsQuerySet":
        return self.filter(published_at__lte=at).order_by("-published_at", "-pk")

    def asking(self, at: datetime, plan: Any) -> "TermsQuerySet":
        """Published versions that need an answer of people on `plan` (a value or an expression), the newest first."""
        return self.published(at).filter(needs_answer=True, audience__contains=[plan])

    def newer_than(self, published_at: Any, pk: Any) -> "TermsQuerySet":
        """Versions newer than the one of that moment and key (values or expressions)."""
        return self.filter(models.Q(published_at__gt=published_at) | models.Q(published_at=published_at, pk__gt=pk))

    def with_due(self) -> "TermsQuerySet":
        """Each with `due`: until when people who answered an older version may leave it unanswered."""
        return self.annotate(due=_due())

    def due(self, at: datetime) -> "TermsQuerySet":
        """Versions that cannot be left unanswered any longer."""
        return self.annotate(due=_due()).filter(due__lte=at)

    def coming(self, at: datetime) -> "TermsQuerySet":
        """Versions that can still be left unanswered, each with `due`."""
        return self.annotate(due=_due()).filter(due__gt=at)

    def dues(self) -> "models.QuerySet[Terms, datetime]":
        """Until when each may be left unanswered. The earliest comes first; a newer version grants no new delay."""
        return self.annotate(due=_due()).order_by("due").values_list("due", flat=True)


class Terms(models.Model):
    slug = models.SlugField(unique=True, help_text="The version's name in addresses, for example 2025-08-28.")
    language = models.CharField(max_length=10, default="en", help_text="The language of the text below.")
    title = models.CharField(max_length=200)
    summary = models.TextField(help_text="What changes, in at most five plain lines, one a line.")
    body = models.TextField(help_text="The whole text, in Markdown.")
    audience = ArrayField(
        models.CharField(max_length=8, choices=[(plan.value, Plan(plan).label) for plan in PERSONAL_PLANS]),
        default=every_personal_plan,
        help_text="The personal plans whose people these terms concern.",
    )
    needs_answer = models.BooleanField(default=True, help_text="Off for corrections that ask nobody.")
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    effective_at = models.DateTimeField(
        null=True, blank=True, help_text="From when on new people are asked; left empty, from publication on."
    )
    deadline = models.DateTimeField(
        null=True, blank=True, help_text="Until when people who answered an earlier version may wait with their answer."
    )
    reminder_days = ArrayField(
        models.PositiveSmallIntegerField(validators=[MaxValueValidator(365)]),
        default=usual_reminder_days,
        blank=True,
        help_text="How many days before the deadline undecided people are reminded; 0 is the day itself.",
    )
    # The retention schedule that these terms promise.
    training_years = models.PositiveSmallIntegerField(default=5)
    standard_days = models.PositiveSmallIntegerField(default=30)
    temporary_hours = models.PositiveSmallIntegerField(default=24)
    deletion_hours = models.PositiveSmallIntegerField(default=24)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    # SHA-256 of the document that `/terms/<slug>.json` serves: exactly what people see. Set by sealing.
    digest = models.CharField(max_length=64, blank=True, editable=False)

    objects = TermsQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "terms"
        ordering = ["-published_at", "-pk"]
        permissions = [("publish_terms", "Can publish terms, take them back and move their deadlines")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(standard_days__gte=1, training_years__gte=1, temporary_hours__gte=1)
                & models.Q(deletion_hours__gte=1, deletion_hours__lte=720),
                name="durations_are_promised_ones",
            ),
            models.CheckConstraint(
                condition=models.Q(published_at__isnull=True) | ~models.Q(digest=""), name="published_terms_are_sealed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.slug})"

    def get_absolute_url(self) -> str:
        return reverse("privacy:terms", args=[self.slug])

    def state(self, now: datetime) -> TermsState:
        """Where this version is on its way."""
        if self.published_at is None:
            return TermsState.DRAFT
        if self.published_at > now:
            return TermsState.SCHEDULED
        newer = Terms.objects.published(now).newer_than(self.published_at, self.pk)
        return TermsState.SUPERSEDED if newer.exists() else TermsState.PUBLISHED

    @property
    def points(self) -> list[str]:
        """The lines of the summary."""
        return [line.strip() for line in self.summary.splitlines() if line.strip()]

    @property
    def schedule(self) -> Schedule:
        return Schedule(
            training=Duration(years=self.training_years),
            standard=Duration(days=self.standard_days),
            temporary=Duration(hours=self.temporary_hours),
            deleted=Duration(hours=self.deletion_hours),
        )


class TermsTranslation(models.Model):
    """The text of a version in one more language. Sealed together with it."""

    terms = models.ForeignKey(Terms, models.CASCADE, related_name="translations")
    language = models.CharField(max_length=10)
    title = models.CharField(max_length=200)
    summary = models.TextField()
    body = models.TextField()

    class Meta:
        ordering = ["language"]
        constraints = [models.UniqueConstraint(fields=["terms", "language"], name="one_translation_per_language")]

    def __str__(self) -> str:
        return f"{self.title} ({self.language})"


class DeadlineMove(models.Model):
    """A deadline moved to a later moment, outside the version's hash, for a reason that everybody can read."""

    terms = models.ForeignKey(Terms, models.PROTECT, related_name="moves")
    deadline = models.DateTimeField()
    reason = models.CharField(max_length=500)
    moved_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["moved_at", "pk"]

    def __str__(self) -> str:
        return f"{self.terms.slug}: {self.deadline:%Y-%m-%d %H:%M}"
