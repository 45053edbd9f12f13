"""E-mails to people who have not answered new terms: some days before the deadline, and on the day.

A reminder is claimed by a row before it is sent, and its Message-ID follows from that row alone: whoever sends it again
after a crash sends the same message. Only the latest that is due goes out, so a long standstill ends in one e-mail.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from smtplib import SMTPException
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from accounts import clock
from accounts.models import User
from privacy import ledger, versions
from privacy.canonical import moment
from privacy.gate import gate_for
from privacy.models import Reminder, Standing, Terms
from privacy.policy import Gate
from privacy.vocabulary import Act, Source

HOUR = time(9)  # of the person's own day
BATCH = 500
FAILURES = 3  # one after the other: the mail server is away, and the next run tries again

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Occasion:
    """One version's reminder of one day, for people of one time zone."""

    terms: Terms
    deadline: datetime
    days: int
    time_zone: str


def remind(through: BaseEmailBackend | None = None) -> int:
    """Claim and send every reminder that is due now (`through` another backend than the settings name); returns how
    many were sent."""
    occasions = list(_occasions(clock.now()))
    for occasion in occasions:
        _claim(occasion)
    return _send_claimed(occasions, through or get_connection()) if occasions else 0


# --- What is due --------------------------------------------------------------


def latest_due(
    days: Sequence[int], deadline: datetime, known_since: datetime, zone: ZoneInfo, now: datetime
) -> int | None:
    """Which of these days before the deadline has the latest reminder due at `now`; None if none has.

    None goes out for a moment before this deadline was known, nor once it has passed.
    """
    if now >= deadline:
        return None
    return min((one for one in days if known_since <= moment_of(deadline, one, zone) <= now), default=None)


def moment_of(deadline: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Nine in the morning, that many days before the deadline's day in `zone`; earlier if the deadline itself is."""
    day = deadline.astimezone(zone).date() - timedelta(days=days)
    morning = datetime.combine(day, HOUR, zone)
    return (morning if morning < deadline else datetime.combine(day, time.min, zone)).astimezone(UTC)


def _occasions(now: datetime) -> Iterator[Occasion]:
    for terms in Terms.objects.published(now).filter(needs_answer=True).coming(now).prefetch_related("moves"):
        assert terms.published_at is not None
        deadline: datetime = terms.due  # type: ignore[attr-defined]
        known_since = max([terms.published_at, *(move.moved_at for move in terms.moves.all())])
        for name in _undecided(terms, now).values_list("time_zone", flat=True).distinct().order_by("time_zone"):
            days = latest_due(terms.reminder_days, deadline, known_since, zone_of(name), now)
            if days is not None:
                yield Occasion(terms, deadline, days, name)


def _undecided(terms: Terms, now: datetime) -> QuerySet[User]:
    """People who answered earlier terms and owe an answer to these, which are the first of theirs to fall due."""
    standing = Standing.objects.filter(user=OuterRef("pk"), terms__isnull=False)
    plan = OuterRef("personal_workspace__plan")
    answered = (Subquery(standing.values("terms__published_at")), Subquery(standing.values("terms")))
    owed = Terms.objects.asking(now, plan).newer_than(OuterRef("answered_at"), OuterRef("answered"))
    first = owed.with_due().order_by("due", "pk").values("pk")[:1]
    return User.objects.annotate(answered_at=answered[0], answered=answered[1], first_owed=Subquery(first)).filter(
        is_active=True, answered__isnull=False, first_owed=terms.pk
    )


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


# --- Claiming and sending -----------------------------------------------------


def _claim(occasion: Occasion) -> None:
    """Write down who is to be sent this reminder; whoever is written down already stays as they are."""
    people = _undecided(occasion.terms, clock.now()).filter(time_zone=occasion.time_zone)
    known = Reminder.objects.filter(
        user=OuterRef("pk"), terms=occasion.terms, deadline=occasion.deadline, days=occasion.days
    )
    missing = people.exclude(Exists(known)).only("pk", "public_id")
    rows = (
        Reminder(
            user=person,
            terms=occasion.terms,
            deadline=occasion.deadline,
            days=occasion.days,
            message_id=_message_id(person, occasion),
        )
        for person in missing.iterator(BATCH)
    )
    Reminder.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)


def _message_id(person: User, occasion: Occasion) -> str:
    name = f"{person.public_id}/{occasion.terms.digest}/{moment(occasion.deadline)}/{occasion.days}"
    return f"<{uuid5(NAMESPACE_URL, name)}@{urlsplit(settings.LINK_ORIGIN).hostname or 'localhost'}>"


def _send_claimed(occasions: list[Occasion], connection: BaseEmailBackend) -> int:
    """Send what is claimed for these occasions and not sent. Several workers share the work."""
    sent, failures, after = 0, 0, 0
    latest = {(one.terms.pk, one.deadline, one.days, one.time_zone) for one in occasions}
    while failures < FAILURES:
        try:
            with transaction.atomic():
                reminder = _next_claimed(after)
                if reminder is None:
                    return sent
                after = reminder.pk
                key = (reminder.terms_id, reminder.deadline, reminder.days, reminder.user.time_zone)
                if key in latest and gate_for(reminder.user, reminder.user.personal_workspace).gate is Gate.ASK:
                    _send(reminder, connection)
                    sent, failures = sent + 1, 0
        except (OSError, SMTPException) as error:
            failures += 1
            log.error("A reminder could not be sent and will be tried again: %s", type(error).__name__)
    return sent


def _next_claimed(after: int) -> Reminder | None:
    waiting = Reminder.objects.filter(
        sent_at__isnull=True, deadline__gt=clock.now(), pk__gt=after, user__is_active=True
    )
    return (
        waiting.select_for_update(skip_locked=True, of=("self",))
        .select_related("user__personal_workspace", "terms")
        .order_by("pk")
        .first()
    )


def _send(reminder: Reminder, connection: BaseEmailBackend) -> None:
    """Send it and write that down. If only the writing fails, the same message goes out again, under the same id."""
    _compose(reminder, connection).send()
    reminder.sent_at = clock.now()
    reminder.save(update_fields=["sent_at"])
    detail = {"days": reminder.days, "deadline": moment(reminder.deadline)}
    ledger.record(Act.REMINDER_SENT, source=Source.SCHEDULE, subject=reminder.user, terms=reminder.terms, detail=detail)


def _compose(reminder: Reminder, connection: BaseEmailBackend) -> EmailMessage:
    """In the person's language and hour, with one link that opens the question and none that answers it."""
    person = reminder.user
    with translation.override(person.locale), timezone.override(zone_of(person.time_zone)):
        context = {
            "person": person,
            "text": versions.variant(reminder.terms, person.locale),
            "points": [line.strip() for line in versions.variant(reminder.terms, person.locale).summary.splitlines()],
            "deadline": timezone.localtime(reminder.deadline),
            "zone": person.time_zone,
            "days": (timezone.localtime(reminder.deadline).date() - timezone.localtime(clock.now()).date()).days,
            "link": settings.LINK_ORIGIN + reverse("privacy:choice"),
        }
        subject = render_to_string("privacy/email/reminder_subject.txt", context)
        body = render_to_string("privacy/email/reminder.txt", context)
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body,
        to=[person.email],
        connection=connection,
        headers={"Message-ID": reminder.message_id, "Auto-Submitted": "auto-generated"},
    )
