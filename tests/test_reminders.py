"""Reminders: the latest that is due, to undecided people only, each once, and none that answers for anybody."""

import smtplib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection

from accounts import clock
from accounts.models import User
from accounts.plans import Plan
from privacy.models import DeadlineMove, Event, Reminder
from privacy.models.terms import REMINDER_DAYS
from privacy.reminders import latest_due, moment_of, remind
from privacy.vocabulary import Act, Training
from tests.people import alice, bob, will
from tests.scenes import decided, published

VIENNA = ZoneInfo("Europe/Vienna")
NOON = datetime(2025, 9, 28, 12, tzinfo=UTC)


@pytest.fixture
def asked(move_clock):
    """Alice answered the terms of before; new ones run out in forty days."""
    decided(alice(), Training.DENY)
    return published(deadline=timedelta(days=40))


def days_sent() -> list[int]:
    return [row.days for row in Reminder.objects.filter(sent_at__isnull=False).order_by("pk")]


class TestWhen:
    @pytest.mark.parametrize(
        ("deadline", "days", "expected"),
        [
            (NOON, 7, datetime(2025, 9, 21, 7, tzinfo=UTC)),  # nine in Vienna, in summer
            (NOON, 0, datetime(2025, 9, 28, 7, tzinfo=UTC)),
            (
                datetime(2025, 10, 27, 12, tzinfo=UTC),
                1,
                datetime(2025, 10, 26, 8, tzinfo=UTC),
            ),  # winter by then
            (
                datetime(2025, 9, 28, 5, tzinfo=UTC),
                0,
                datetime(2025, 9, 27, 22, tzinfo=UTC),
            ),  # before nine: midnight
            (datetime(2025, 9, 27, 23, tzinfo=UTC), 1, datetime(2025, 9, 27, 7, tzinfo=UTC)),  # already the 28th there
        ],
    )
    def test_at_nine_of_the_persons_day(self, deadline, days, expected):
        assert moment_of(deadline, days, VIENNA) == expected

    def test_only_the_latest_due_and_none_from_before_publication(self):
        def latest(**ago: float) -> int | None:
            published_at = NOON - timedelta(days=20)
            return latest_due(REMINDER_DAYS, NOON, published_at, VIENNA, NOON - timedelta(**ago))

        due = {ago: latest(days=ago) for ago in (20, 15, 14, 8, 5, 2, 1)}
        assert due == {20: None, 15: None, 14: 14, 8: 14, 5: 7, 2: 3, 1: 1}
        assert (latest(seconds=1), latest(seconds=0)) == (0, None)


@pytest.mark.django_db
class TestWho:
    def test_each_reminder_once_until_the_deadline(self, asked, move_clock):
        for half_day in range(84):  # whatever the hour of the test: nine in the morning falls between two of them
            move_clock(hours=12 * half_day)
            remind()
            remind()
        assert days_sent() == [30, 14, 7, 3, 1, 0][: len(mail.outbox)] and len(mail.outbox) >= 5
        assert {tuple(message.to) for message in mail.outbox} == {(alice().email,)}
        assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == len(mail.outbox)
        assert Event.objects.of(alice()).filter(act=Act.REMINDER_SENT).count() == len(mail.outbox)

    def test_a_long_standstill_ends_in_one(self, asked, move_clock):
        move_clock(days=38)
        assert remind() == 1 and days_sent() == [3]

    def test_it_stops_the_moment_they_choose(self, asked, move_clock):
        move_clock(days=38)
        decided(alice(), Training.DENY)
        assert remind() == 0 and not mail.outbox

    def test_not_even_one_that_was_claimed_before(self, asked, move_clock, monkeypatch):
        move_clock(days=38)
        monkeypatch.setattr("privacy.reminders._send_claimed", lambda *_: 0)
        remind()
        assert Reminder.objects.count() == 1
        monkeypatch.undo()
        move_clock(days=38)
        decided(alice(), Training.DENY)
        assert remind() == 0 and not mail.outbox

    def test_new_people_other_plans_and_closed_accounts_get_none(self, move_clock):
        for person in (alice(), bob(), will()):
            decided(person, Training.DENY)
        alice().personal_workspace.__class__.objects.filter(personal_to=alice()).update(plan=Plan.MAX)
        User.objects.filter(pk=will().pk).update(is_active=False)
        published(deadline=timedelta(days=40), audience=["max"])
        move_clock(days=38)
        remind()
        assert [message.to for message in mail.outbox] == [[alice().email]]

    def test_a_moved_deadline_is_reminded_of_anew(self, asked, move_clock):
        move_clock(days=38)
        remind()
        DeadlineMove.objects.create(terms=asked, deadline=clock.now() + timedelta(days=20), reason="The mail was down.")
        assert remind() == 0
        move_clock(days=38 + 14)
        assert remind() == 1
        assert days_sent() == [3, 7]


@pytest.mark.django_db
class TestWhat:
    def test_in_their_hour_with_one_link_that_only_opens(self, asked, move_clock, settings):
        settings.LINK_ORIGIN = "https://chat.example.org"
        User.objects.filter(pk=alice().pk).update(time_zone="America/New_York")
        move_clock(days=38)
        remind()
        [message] = mail.outbox
        until = asked.deadline.astimezone(ZoneInfo("America/New_York"))
        assert f"{until:%B} {until.year}, {until:%H:%M} (America/New_York)" in message.body
        assert message.body.count("http") == 1 and "https://chat.example.org/privacy/choice/\n" in message.body
        assert "One thing changes." in message.body and "days left" in message.subject

    def test_names_cannot_bend_the_mail(self, move_clock):
        decided(alice(), Training.DENY)
        User.objects.filter(pk=alice().pk).update(display_name="A\r\nBcc: x@evil.example <b>")
        published(deadline=timedelta(days=40), title="Terms\r\nBcc: y@evil.example")
        move_clock(days=38)
        remind()
        assert not mail.outbox[0].bcc and "\n" not in mail.outbox[0].subject


@pytest.mark.django_db
class TestFailure:
    def test_what_the_mail_server_refused_is_sent_later(self, asked, move_clock, monkeypatch):
        def away(*_):
            raise smtplib.SMTPServerDisconnected

        move_clock(days=38)
        monkeypatch.setattr(EmailBackend, "send_messages", away)
        assert remind() == 0
        assert days_sent() == [] and not Event.objects.filter(act=Act.REMINDER_SENT).exists()
        monkeypatch.undo()
        move_clock(days=38)
        assert remind() == 1

    def test_one_sent_again_after_a_crash_bears_the_same_id(self, asked, move_clock, monkeypatch):
        """The mail went out; the process died before it could write that down."""

        def dies(*_, **__):
            raise KeyboardInterrupt

        move_clock(days=38)
        monkeypatch.setattr("privacy.reminders.ledger.record", dies)
        with pytest.raises(KeyboardInterrupt):
            remind()
        monkeypatch.undo()
        move_clock(days=38)
        assert remind() == 1
        first, second = mail.outbox
        assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def test_two_workers_send_it_once(committed, move_clock):
    decided(alice(), Training.DENY)
    published(deadline=timedelta(days=40))
    move_clock(days=38)
    together = threading.Barrier(2)

    def worker() -> int:
        together.wait(10)
        try:
            return remind()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(one.result() for one in [pool.submit(worker), pool.submit(worker)]) == [0, 1]
    assert len(mail.outbox) == 1
