"""E-mails about chats that end soon: a week before, and the day before; at most one a day, at nine of the person's own.

They say how many there are and when the first ends, and lead to the list. No title is in them: titles are people's own
words, an e-mail leaves the house, and no purge reaches what lies in a mailbox (docs/decisions/0012).

A digest is claimed by a row before it is sent, and its Message-ID follows from that row alone, as with reminders.py.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from smtplib import SMTPException
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from accounts import clock
from accounts.models import Membership, User
from privacy import ends
from privacy.holdings import tagged_holdings
from privacy.models import ExpiryNotice, ExpirySetting
from privacy.reminders import BATCH, FAILURES, HOUR, zone_of
from privacy.selection import visible_to

SALT = "privacy.expiry.off"
FORGOTTEN = timedelta(days=30)  # after so long nothing that a digest stood for is still to come

log = logging.getLogger(__name__)


def announce(through: BaseEmailBackend | None = None) -> int:
    """Claim and send every digest that is due now (`through` another backend than the settings name); returns how many
    were sent."""
    for today in _mornings(clock.now()):
        _claim(today)
    if not ExpiryNotice.objects.filter(sent_at__isnull=True).exists():
        return 0
    return _send_claimed(through or get_connection())


def forget(now: datetime) -> None:
    """A digest goes once it stands for nothing to come, or could not be sent until it was too late."""
    ExpiryNotice.objects.filter(week_until__lt=now - FORGOTTEN).delete()
    ExpiryNotice.objects.filter(sent_at__isnull=True, week_until__lt=now).delete()


# --- Who is to be told ------------------------------------------------------------


@dataclass(frozen=True)
class Today:
    """The day of the people in these time zones: when it began, and the ends that they are told of on it."""

    day: date
    midnight: datetime
    day_until: datetime
    week_until: datetime


def today_here(now: datetime) -> Today:
    """The day in the current time zone."""
    until = [ends.horizon(days, now) for days in (-1, ends.TOMORROW, ends.WEEK)]
    return Today(timezone.localtime(now).date(), *until)


def _mornings(now: datetime) -> Iterator[tuple[Today, list[str]]]:
    """The days on which it is past nine, each with its time zones: there are few, whatever the number of zones."""
    alike: defaultdict[Today, list[str]] = defaultdict(list)
    for name in User.objects.filter(is_active=True).order_by().values_list("time_zone", flat=True).distinct():
        with timezone.override(zone_of(name)):
            if timezone.localtime(now).time() >= HOUR:
                alike[today_here(now)].append(name)
    yield from alike.items()


def _claim(morning: tuple[Today, list[str]]) -> None:
    """Write down who is to be sent today's digest; whoever is written down already stays as they are."""
    today, zones = morning
    for _holding, model in tagged_holdings():
        # Of what is announced, the end is also when it is purged: that column has an index.
        near: Any = model._default_manager.filter(purge_after__lt=today.week_until, purge_after__gt=clock.now())
        rows = near.visible(clock.now()).announced().trusted().filter(_is_still_there())
        people = User.objects.filter(
            ~Exists(_busy(today)),
            ~Exists(ExpirySetting.objects.filter(user=OuterRef("pk"), mails=False)),
            is_active=True,
            time_zone__in=zones,
            pk__in=_unannounced(rows, today).order_by().values("author"),
        )
        claimed = (_claimed(person, today) for person in people.only("pk", "public_id").iterator(BATCH))
        ExpiryNotice.objects.bulk_create(claimed, batch_size=BATCH, ignore_conflicts=True)


def _is_still_there() -> Exists:
    """Whether the author may still enter the workspace."""
    return Exists(Membership.objects.filter(user=OuterRef("author"), workspace=OuterRef("workspace")))


def _busy(today: Today) -> QuerySet[ExpiryNotice]:
    """A digest that still waits to be sent, or one of today."""
    waits_or_is_of_today = Q(sent_at__isnull=True) | Q(day__gte=today.day) | Q(sent_at__gte=today.midnight)
    return ExpiryNotice.objects.filter(waits_or_is_of_today, user=OuterRef("pk"))


def _unannounced(rows: Any, today: Today, but: int = 0) -> Any:
    """Those of `rows` that no digest but that one stands for: neither as coming within a week, nor as of tomorrow."""
    before = ExpiryNotice.objects.filter(user=OuterRef("author")).exclude(pk=but)
    week = Exists(before.filter(week_until__gt=OuterRef("hidden_from")))
    day = Exists(before.filter(day_until__gt=OuterRef("hidden_from")))
    return rows.ending(today.week_until).filter(~week | (~day & Q(hidden_from__lt=today.day_until)))


def _claimed(person: User, today: Today) -> ExpiryNotice:
    name = uuid5(NAMESPACE_URL, f"{person.public_id}/ends/{today.day}")
    return ExpiryNotice(
        user=person,
        day=today.day,
        day_until=today.day_until,
        week_until=today.week_until,
        message_id=f"<{name}@{urlsplit(settings.LINK_ORIGIN).hostname or 'localhost'}>",
    )


# --- Sending ----------------------------------------------------------------------


def _send_claimed(connection: BaseEmailBackend) -> int:
    """Send what is claimed and not sent. Several workers share the work."""
    sent, failures, after = 0, 0, 0
    while failures < FAILURES:
        try:
            with transaction.atomic():
                notice = _next_claimed(after)
                if notice is None:
                    return sent
                after = notice.pk
                with timezone.override(zone_of(notice.user.time_zone)):
                    if _send(notice, connection):
                        sent, failures = sent + 1, 0
        except (OSError, SMTPException) as error:
            failures += 1
            log.error("Word of what ends soon could not be sent, and will be tried again: %s", type(error).__name__)
    return sent


def _next_claimed(after: int) -> ExpiryNotice | None:
    waiting = ExpiryNotice.objects.filter(sent_at__isnull=True, pk__gt=after)
    return waiting.select_for_update(skip_locked=True, of=("self",)).select_related("user").order_by("pk").first()


def _send(notice: ExpiryNotice, connection: BaseEmailBackend) -> bool:
    """Send it and write that down, if there is still something to say. It then stands for all that it counted.

    If only the writing fails, the same message goes out again, under the same id.
    """
    today = today_here(clock.now())
    if not _has_news(notice, today):
        notice.delete()
        return False
    _compose(notice, today, connection).send()
    notice.day_until, notice.week_until, notice.sent_at = today.day_until, today.week_until, clock.now()
    notice.save(update_fields=["day_until", "week_until", "sent_at"])
    return True


def _has_news(notice: ExpiryNotice, today: Today) -> bool:
    person = notice.user
    if not person.is_active or not mails_wanted(person):
        return False
    held = (visible_to(person, model).announced().trusted() for _, model in tagged_holdings())  # type: ignore[attr-defined]
    return any(_unannounced(rows, today, but=notice.pk).exists() for rows in held)


def _compose(notice: ExpiryNotice, today: Today, connection: BaseEmailBackend) -> EmailMessage:
    """In the person's language and hour: how many and when, and where to see which."""
    person, off = notice.user, settings.LINK_ORIGIN + address_to_stop(notice.user)
    with translation.override(person.locale):
        within = reverse("privacy:chats") + f"?within={ends.WEEK}"
        context = {
            "person": person,
            "week": ends.ending(person, today.week_until),
            "tomorrow": ends.ending(person, today.day_until),
            "zone": person.time_zone,
            "link": settings.LINK_ORIGIN + within,
            "off": off,
        }
        subject = render_to_string("privacy/email/ends_subject.txt", context)
        body = render_to_string("privacy/email/ends.txt", context)
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body,
        to=[person.email],
        connection=connection,
        headers={
            "Message-ID": notice.message_id,
            "Auto-Submitted": "auto-generated",
            "List-Unsubscribe": f"<{off}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


# --- Whether they are wanted ------------------------------------------------------


def mails_wanted(user: User) -> bool:
    return not ExpirySetting.objects.filter(user=user, mails=False).exists()


def want_mails(user: User, *, wanted: bool) -> None:
    """Send `user` these e-mails, or none any more."""
    ExpirySetting.objects.update_or_create(user=user, defaults={"mails": wanted})


def address_to_stop(user: User) -> str:
    """Where whoever got such an e-mail stops them without signing in; it can do nothing else."""
    return reverse("privacy:ends_off", args=[signing.dumps(str(user.public_id), salt=SALT)])


def stopped_by(token: str) -> str | None:
    """The public id of the person whose e-mails that address stops; None if it is none of ours."""
    try:
        return str(signing.loads(token, salt=SALT))
    except signing.BadSignature:
        return None
