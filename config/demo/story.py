"""The story of 2025: terms of before, terms of 28 August 2025 with a month to answer, and what each person did.

It can be told only where the database begins with the story's own terms of before. `manage.py up --demo` sees to that
on a fresh data folder; published terms never change, so nothing can make them older afterwards
(docs/decisions/0009-the-story-of-2025.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from accounts.models import User
from config.demo.acts import Step, answers, changes, puts_off, says, sees
from config.demo.cast import DORA, GRACE, LARS, NORA, PETRA, RITA, UMA
from config.demo.conversations import LEAP_YEARS, MOON, POEM, PYTHAGORAS
from config.demo.people import ALICE, BOB, CHARLIE, MAX, STELLA, WENDY, WILL, Persona
from privacy import publishing
from privacy.first_terms import written
from privacy.models import Terms
from privacy.vocabulary import Source, Training

TERMS = Path(__file__).with_name("terms")
FIRST_TERMS = TERMS / "before.toml"
AUGUST = "2025-08-28"
DEADLINE = datetime(2025, 9, 28, 16, tzinfo=UTC)
REMINDER_DAYS = [14, 7, 1]
ALLOW, DENY = Training.ALLOW, Training.DENY


@dataclass(frozen=True)
class Life:
    """When somebody came, what they did since, and the same in one phrase."""

    came: datetime
    steps: tuple[Step, ...]
    did: str = ""


def can_be_told() -> bool:
    """Whether the terms that this database began with are the story's."""
    before = written(FIRST_TERMS)
    first = Terms.objects.filter(published_at=before["published_at"], title=before["title"], body=before["body"])
    others = Terms.objects.filter(published_at__lte=DEADLINE).exclude(slug=AUGUST)
    return first.exists() and others.count() == 1


def draft_and_publish(stella: User) -> None:
    """Stella publishes the terms of August, unless that has been told before."""
    if Terms.objects.filter(slug=AUGUST).exists():
        return
    fields: dict[str, Any] = written(TERMS / "august.toml")
    del fields["published_at"]  # it is now
    draft = Terms.objects.create(slug=AUGUST, deadline=DEADLINE, reminder_days=REMINDER_DAYS, **fields)
    publishing.publish(draft, by=stella)


@cache
def published_at() -> datetime:
    """When the terms of August were published."""
    at: datetime = written(TERMS / "august.toml")["published_at"]
    return at


# --- How it goes with people ---------------------------------------------------


def on(month: int, day: int, hour: int = 18, minute: int = 0) -> datetime:
    return datetime(2025, month, day, hour, minute, tzinfo=UTC)


def enters(came: datetime, training: Training, *, keep_history: bool | None = None, gpc: bool = False) -> list[Step]:
    """A new person answers on the page, before the first message."""
    asked, answered = came + timedelta(minutes=1), came + timedelta(minutes=3)
    return [
        sees(asked, Source.PAGE, gpc=gpc),
        answers(answered, training, keep_history=keep_history, source=Source.PAGE, gpc=gpc),
    ]


def decides(at: datetime, training: Training, *, minutes: int = 2, gpc: bool = False) -> list[Step]:
    """Somebody is asked in the dialog and answers there, so many minutes later."""
    return [sees(at, gpc=gpc), answers(at + timedelta(minutes=minutes), training, gpc=gpc)]


def lives() -> Mapping[Persona, Life]:
    """What everybody did, the one who publishes first."""
    return {
        STELLA: Life(
            on(1, 10),
            (*enters(on(1, 10), DENY), Step(published_at(), draft_and_publish), *decides(on(8, 28, 16, 20), DENY)),
            "published them; did not allow",
        ),
        ALICE: Life(
            on(1, 15),
            (*enters(on(1, 15), DENY), *decides(on(8, 28, 18, 30), DENY)),
            "did not allow, on the first day",
        ),
        BOB: Life(
            on(2, 3),
            (*enters(on(2, 3), ALLOW), *decides(on(8, 28, 17, 45), ALLOW, minutes=1)),
            "allowed, on the first day",
        ),
        MAX: Life(
            on(3, 8),
            (
                *enters(on(3, 8), ALLOW, keep_history=True),
                *(puts_off(on(8, 29)), puts_off(on(9, 2)), puts_off(on(9, 9))),
                *decides(on(9, 15), ALLOW, minutes=12),
            ),
            "put it off three times, then allowed; keeps the history",
        ),
        WENDY: Life(
            on(2, 20),
            (*enters(on(2, 20), DENY, keep_history=True), *decides(on(9, 3, 8), DENY)),
            "did not allow; keeps the history",
        ),
        WILL: Life(on(4, 1), (), "works there only, so is never asked"),
        CHARLIE: Life(
            on(5, 20),
            (
                *enters(on(5, 20), DENY, keep_history=True),
                *(sees(on(8, 30)), says(on(8, 30, 18, 5), MOON), says(on(9, 20), LEAP_YEARS)),
            ),
            "never answered, and is stopped",
        ),
        DORA: Life(
            on(2, 12),
            (
                *enters(on(2, 12), ALLOW, keep_history=True),
                *(puts_off(on(8, 29, 7)), says(on(9, 10), PYTHAGORAS), puts_off(on(9, 12, 7))),
            ),
            "put it off twice, missed the deadline, and is stopped; the Allow of before rests",
        ),
        GRACE: Life(
            on(4, 9),
            (*enters(on(4, 9), DENY, gpc=True), *decides(on(9, 1), ALLOW, minutes=4, gpc=True)),
            "allowed, against the browser's signal (GPC)",
        ),
        LARS: Life(
            on(3, 1),
            (*enters(on(3, 1), ALLOW), puts_off(on(8, 31)), *decides(on(10, 6), DENY, minutes=1)),
            "missed the deadline, was stopped for eight days, then did not allow",
        ),
        NORA: Life(
            on(11, 14),
            tuple(enters(on(11, 14), ALLOW)),
            "came after the deadline; allowed before the first message",
        ),
        PETRA: Life(
            on(6, 2),
            (*enters(on(6, 2), DENY), says(on(7, 5), POEM), *decides(on(9, 3), ALLOW, minutes=30)),
            "had not allowed before, allowed now; an older chat never trains",
        ),
        RITA: Life(
            on(1, 28),
            (
                *(*enters(on(1, 28), ALLOW), *decides(on(8, 29), ALLOW), says(on(9, 4), POEM)),
                changes(on(11, 10), DENY),
            ),
            "allowed; withdrew it on 10 November",
        ),
        UMA: Life(
            on(5, 5),
            (*enters(on(5, 5), DENY), *decides(on(9, 5), DENY)),
            "accepted the terms; nothing trains, so nothing more is asked",
        ),
    }
