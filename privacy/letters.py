"""E-mails about safety reviews, files of one's data and leaving. They name no conversation and say nothing of one: a
link leads to what there is.

Written down by the act that they tell of, in its transaction, and sent after it; what could not be sent is tried again
every minute. Who sends one again after a crash sends the same message, under the same Message-ID.
"""

import logging
from smtplib import SMTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from kombu.exceptions import OperationalError

from accounts import clock
from privacy.models import Erasure, Flag, Letter

if TYPE_CHECKING:
    from django.core.mail.backends.base import BaseEmailBackend

    from accounts.models import User

TEMPLATES: dict[str, str] = {Letter.What.LEAVING: "leaving", Letter.What.READY: "export"}
FAILURES = 3  # one after the other: the mail server is away, and the next run tries again

logger = logging.getLogger(__name__)


def write(user: "User", what: Letter.What, *, about: UUID) -> None:
    """Tell `user` by e-mail, once the caller's transaction is committed."""
    host = urlsplit(settings.LINK_ORIGIN).hostname or "localhost"
    message_id = f"<{uuid5(NAMESPACE_URL, f'{about}/{what}')}@{host}>"
    Letter.objects.create(user=user, what=what, about=about, message_id=message_id)
    transaction.on_commit(_soon, robust=True)


def send(through: "BaseEmailBackend | None" = None) -> int:
    """Send every letter that waits; returns how many were sent. Several workers share the work."""
    sent, failures, after = 0, 0, 0
    through = through or get_connection()
    while failures < FAILURES:
        try:
            with transaction.atomic():
                letter = _next(after)
                if letter is None:
                    break
                after = letter.pk
                _compose(letter, through).send()
                letter.sent_at = clock.now()
                letter.save(update_fields=["sent_at"])
                sent, failures = sent + 1, 0
        except (OSError, SMTPException) as error:
            failures += 1
            logger.error("A letter could not be sent and will be tried again: %s", type(error).__name__)
    return sent


def _next(after: int) -> Letter | None:
    waiting = Letter.objects.waiting().filter(pk__gt=after).select_related("user").order_by("pk")
    return waiting.select_for_update(skip_locked=True, of=("self",)).first()


def _compose(letter: Letter, through: "BaseEmailBackend") -> EmailMessage:
    """In the person's language and hour."""
    person, name = letter.user, TEMPLATES.get(letter.what, "review")
    with translation.override(person.locale), timezone.override(zone(person.time_zone)):
        context = {"person": person, "what": letter.what, "link": settings.LINK_ORIGIN + _path(letter)}
        if letter.what == Letter.What.READY:
            context["days"] = settings.EXPORT_DAYS
        if name == "leaving":
            erasure = Erasure.objects.get(user=person)
            context |= {"due_at": erasure.due_at, "sign_in": settings.LINK_ORIGIN + reverse("account_login")}
        subject = render_to_string(f"privacy/email/{name}_subject.txt", context)
        body = render_to_string(f"privacy/email/{name}.txt", context)
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body,
        to=[person.email],
        connection=through,
        headers={"Message-ID": letter.message_id, "Auto-Submitted": "auto-generated"},
    )


def _path(letter: Letter) -> str:
    """To the certificate of who leaves, to the page of the file, or to the review; where that is gone with its chat, to
    the Privacy page.
    """
    if letter.what == Letter.What.LEAVING:
        return reverse("privacy:certificate", args=[letter.about])
    if letter.what == Letter.What.READY:
        return reverse("privacy:export")
    there = Flag.objects.filter(public_id=letter.about, person=letter.user).exists()
    return reverse("privacy:review", args=[letter.about]) if there else reverse("privacy:settings")


def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _soon() -> None:
    """Hand it to a worker. If the broker is away, the next run by the clock sends it."""
    from privacy.tasks import send_letters

    try:
        send_letters.delay()
    except (OperationalError, OSError) as error:
        logger.warning("a letter waits for the broker (%s)", type(error).__name__)
