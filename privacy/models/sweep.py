"""What each run of the sweep did, and what it asked staff before it did more than usual."""

from datetime import datetime, timedelta

from django.db import models

from accounts import clock

ANSWER_STANDS = timedelta(hours=24)  # a go-on not used by then has lapsed; after a no, the sweep asks again


class StoppedBy(models.TextChoices):
    MANY = "many", "much more was due than usual"
    CLOCK = "clock", "the clock was in doubt"
    SHUTDOWN = "shutdown", "the worker was told to stop"
    TIME = "time", "its time was over, and the next run goes on"


class SweepRun(models.Model):
    """One run. Written with each chunk, in the chunk's own transaction: a run that was killed says what it did too."""

    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    purged = models.PositiveIntegerField(default=0)
    deleted = models.PositiveIntegerField("of these deleted by people", default=0)
    by_class = models.JSONField(default=dict)
    by_reason = models.JSONField("by class and reason", default=dict)
    rows = models.PositiveIntegerField("rows purged with them", default=0)
    bytes = models.PositiveBigIntegerField("bytes of text purged", default=0)
    chunks = models.PositiveIntegerField(default=0)
    stopped_by = models.CharField(max_length=8, choices=StoppedBy.choices, blank=True)
    # The next run's clock is compared with this; NULL: this one did not look at the clock, or did not trust it.
    clock_at = models.DateTimeField(null=True, editable=False)
    erased = models.PositiveIntegerField("people erased", default=0)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Sweep of {self.started_at:%Y-%m-%d %H:%M}"

    def duration(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.finished_at else None


class SweepTotal(models.Model):
    """What all runs up to one of them did, so that figures need not add up the runs of years. One row."""

    through = models.PositiveBigIntegerField(default=0)  # the last run (its key) that is counted here
    by_class = models.JSONField(default=dict)
    rows = models.PositiveBigIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    stopped = models.PositiveBigIntegerField(default=0)  # runs that the breaker stopped

    def __str__(self) -> str:
        return f"Sweeps up to {self.through}"


class SweepStopQuerySet(models.QuerySet["SweepStop"]):
    def open(self) -> "SweepStopQuerySet":
        return self.filter(answer="")

    def permitting(self, at: datetime) -> "SweepStopQuerySet":
        """Those whose go-on is not used up."""
        return self.filter(answer=SweepStop.Answer.GO_ON, left__gt=0, answered_at__gt=at - ANSWER_STANDS)

    def refusing(self, at: datetime) -> "SweepStopQuerySet":
        return self.filter(answer=SweepStop.Answer.NO, answered_at__gt=at - ANSWER_STANDS)


class SweepStop(models.Model):
    """A question to staff: more is due than the breaker lets pass by itself. Numbers and reasons, never words.

    Who answered is in the ledger's event, and nowhere here: evidence outlives people.
    """

    class Answer(models.TextChoices):
        GO_ON = "go_on", "Go on"
        NO = "no", "No"
        MOOT = "moot", "No longer needed"

    cause = models.CharField(max_length=8, choices=StoppedBy.choices)
    doubt = models.CharField(max_length=200, blank=True)  # what is odd about the clock
    asked_at = models.DateTimeField(default=clock.now)
    due = models.PositiveIntegerField()
    live = models.PositiveIntegerField()
    groups = models.JSONField(default=list)  # class, reason, count, oldest end, keys of a few
    history = models.JSONField(default=list)  # days before, with what expired and was purged in each
    largest = models.PositiveIntegerField(default=0)  # what one run purged at most in that time
    answer = models.CharField(max_length=5, choices=Answer.choices, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)
    left = models.PositiveIntegerField(default=0)  # how many a go-on still lets pass
    told_at = models.DateTimeField("staff told by e-mail", null=True, editable=False)

    objects = SweepStopQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [("answer_sweepstop", "Can let a stopped sweep go on, or not")]
        constraints = [
            models.UniqueConstraint(fields=["answer"], condition=models.Q(answer=""), name="one_open_question")
        ]

    def __str__(self) -> str:
        return f"Stopped sweep of {self.asked_at:%Y-%m-%d %H:%M}"
