"""The e-mail that a stopped sweep sends for staff: it goes on only once one of them answers, so they must hear of it.

Each question goes once to everybody who may answer it. What could not be sent is tried again by the next run, under
the same Message-ID.
"""

import logging
from smtplib import SMTPException
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from accounts import clock
from accounts.models import User
from privacy.models import SweepStop

log = logging.getLogger(__name__)


def tell_staff(through: BaseEmailBackend | None = None) -> int:
    """Send the question that is open, if staff was not told of it (`through` another backend than the settings name);
    returns to how many it went."""
    try:
        with transaction.atomic():
            untold = SweepStop.objects.open().filter(told_at__isnull=True)
            stop = untold.select_for_update(skip_locked=True).first()
            if stop is None:
                return 0
            people = list(who_may_answer())
            if not people:
                log.error("the sweep stopped, and nobody of the staff may answer it")
            connection = through or get_connection()
            connection.send_messages([_compose(stop, person, connection) for person in people])
            stop.told_at = clock.now()
            stop.save(update_fields=["told_at"])
            return len(people)
    except (OSError, SMTPException) as error:
        log.error("staff could not be told of the stopped sweep; the next run tries again: %s", type(error).__name__)
        return 0


def who_may_answer() -> QuerySet[User]:
    """Staff with the permission to answer, by themselves or by a group."""
    permission = {"content_type__app_label": "privacy", "codename": "answer_sweepstop"}
    own = {f"user_permissions__{name}": value for name, value in permission.items()}
    of_groups = {f"groups__permissions__{name}": value for name, value in permission.items()}
    may = Q(is_superuser=True) | Q(**own) | Q(**of_groups)
    return User.objects.filter(may, is_staff=True, is_active=True).distinct()


def _compose(stop: SweepStop, person: User, connection: BaseEmailBackend) -> EmailMessage:
    origin = settings.LINK_ORIGIN
    context = {"stop": stop, "link": origin + reverse("admin:privacy_sweepstop_answer", args=[stop.pk])}
    with translation.override(person.locale):
        subject = render_to_string("privacy/email/stopped_subject.txt", context)
        body = render_to_string("privacy/email/stopped.txt", context)
    name = uuid5(NAMESPACE_URL, f"{person.public_id}/sweepstop/{stop.pk}")
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=body,
        to=[person.email],
        connection=connection,
        headers={
            "Message-ID": f"<{name}@{urlsplit(origin).hostname or 'localhost'}>",
            "Auto-Submitted": "auto-generated",
        },
    )
