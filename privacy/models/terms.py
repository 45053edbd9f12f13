"""Published terms. A version never changes once it is published: the database refuses it."""

import hashlib
import json
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models.functions import Coalesce
from django.urls import reverse

from accounts import clock
from privacy.policy import Duration, Schedule

# Until when people who answered an older version may leave this one unanswered: the deadline, or not at all.
DUE = Coalesce("deadline", "published_at", output_field=models.DateTimeField())


class TermsQuerySet(models.QuerySet["Terms"]):
    def published(self, at: datetime) -> "TermsQuerySet":
        return self.filter(published_at__lte=at).order_by("-published_at", "-pk")

    def asking(self, at: datetime) -> "TermsQuerySet":
        """Published versions that need an answer, the newest first: the first is the one people owe."""
        return self.published(at).filter(needs_answer=True)

    def newer_than(self, published_at: Any, pk: Any) -> "TermsQuerySet":
        """Versions newer than the one of that moment and key (values or expressions)."""
        return self.filter(models.Q(published_at__gt=published_at) | models.Q(published_at=published_at, pk__gt=pk))

    def due(self, at: datetime) -> "TermsQuerySet":
        """Versions that cannot be left unanswered any longer."""
        return self.annotate(due=DUE).filter(due__lte=at)

    def dues(self) -> "models.QuerySet[Terms, datetime]":
        """Until when each may be left unanswered. The earliest comes first; a newer version grants no new delay."""
        return self.annotate(due=DUE).order_by("due").values_list("due", flat=True)


class Terms(models.Model):
    slug = models.SlugField(unique=True, help_text="The version's name in addresses, for example 2025-08-28.")
    title = models.CharField(max_length=200)
    summary = models.TextField(help_text="What changes, in at most five plain lines, one a line.")
    body = models.TextField(help_text="The whole text, in Markdown.")
    needs_answer = models.BooleanField(default=True, help_text="Off for corrections that ask nobody.")
    published_at = models.DateTimeField(null=True, blank=True)
    deadline = models.DateTimeField(
        null=True, blank=True, help_text="Until when people who answered an earlier version may wait with their answer."
    )
    # The retention schedule that these terms promise.
    training_years = models.PositiveSmallIntegerField(default=5)
    standard_days = models.PositiveSmallIntegerField(default=30)
    temporary_hours = models.PositiveSmallIntegerField(default=24)
    deletion_hours = models.PositiveSmallIntegerField(default=24)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = TermsQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "terms"
        ordering = ["-published_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(standard_days__gte=1, training_years__gte=1, temporary_hours__gte=1)
                & models.Q(deletion_hours__gte=1, deletion_hours__lte=720),
                name="durations_are_promised_ones",
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.slug})"

    def get_absolute_url(self) -> str:
        return reverse("privacy:terms", args=[self.slug])

    @property
    def points(self) -> list[str]:
        """The lines of the summary."""
        return [line.strip() for line in self.summary.splitlines() if line.strip()]

    @property
    def digest(self) -> str:
        """SHA-256 of exactly what people see and are promised."""
        seen: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                *("slug", "title", "summary", "body"),
                *("training_years", "standard_days", "temporary_hours", "deletion_hours"),
            )
        }
        return hashlib.sha256(json.dumps(seen, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @property
    def schedule(self) -> Schedule:
        return Schedule(
            training=Duration(years=self.training_years),
            standard=Duration(days=self.standard_days),
            temporary=Duration(hours=self.temporary_hours),
            deleted=Duration(hours=self.deletion_hours),
        )
