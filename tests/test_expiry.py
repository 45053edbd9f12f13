"""E-mails about chats that end soon: once a week ahead and once the day before, one a day, and no word of anybody."""

import smtplib
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db.models import F

from accounts import clock
from accounts.models import User
from chat.models import Conversation
from chat.turns import conversations
from config.beat import TASKS
from privacy import expiry, holds
from privacy.models import ExpiryNotice
from privacy.vocabulary import Training
from tests.people import alice, bob, stella, wendy, will, works
from tests.scenes import answered, asked_in, decided
from tests.threads import at_once

VIENNA = ZoneInfo("Europe/Vienna")


TODAY = datetime.now(VIENNA).date()  # the real one: days are counted from it, wherever the clock has been moved to


def instant(day: int, hour: int) -> datetime:
    """That hour of that day in Vienna."""
    return datetime.combine(TODAY + timedelta(days=day), time(hour), VIENNA)


@pytest.fixture
def at(move_clock):
    """Move the clock to a minute past that hour of that day in Vienna."""

    def at(day: int, hour: int = 10) -> None:
        move_clock(minutes=1, seconds=(instant(day, hour) - datetime.now(UTC)).total_seconds())

    return at


def ending(user: User, day: int, hour: int = 12, **more) -> Conversation:
    """A chat of `user` that ends at that hour of that day."""
    held = more.pop("held_by", None) or answered(user, "The title nobody may read").conversation
    end = instant(day, hour)
    Conversation.objects.filter(pk=held.pk).update(**{"hidden_from": end, "purge_after": end} | more)
    return held


@pytest.fixture
def lives_in_vienna(db):
    decided(alice(), Training.DENY)
    assert alice().time_zone == "Europe/Vienna"
    return alice()


def subjects() -> list[str]:
    return [str(message.subject) for message in mail.outbox]


@pytest.mark.usefixtures("lives_in_vienna")
class TestWhen:
    def test_a_week_before_and_the_day_before_and_then_no_more(self, at):
        ending(alice(), 10)
        told = []
        for day in range(1, 12):
            for hour in (7, 10, 11, 23):
                at(day, hour)
                if expiry.announce():
                    told.append((day, hour))
        assert told == [(3, 10), (9, 10)]
        assert subjects() == ["Parley: 1 chat ends within seven days", "Parley: 1 chat ends by tomorrow"]
        assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 2

    def test_one_a_day_for_all_that_end_and_only_if_there_is_something_new(self, at):
        for hour in (9, 13, 17):
            ending(alice(), 10, hour)
        ending(alice(), 12)
        at(3)
        assert (expiry.announce(), expiry.announce()) == (1, 0)
        at(4)
        assert expiry.announce() == 0
        at(5)
        assert expiry.announce() == 1
        assert "\n4 chats of yours end within seven days." in mail.outbox[-1].body

    def test_a_long_standstill_ends_in_one(self, at):
        for day in (8, 9, 10):
            ending(alice(), day)
        at(8, 11)
        assert expiry.announce() == 1
        assert subjects() == ["Parley: 2 chats end by tomorrow"]
        at(9)
        assert expiry.announce() == 1  # of the one that ends tomorrow it was said a week ahead, not the day before

    def test_one_whose_end_moves_out_is_told_of_anew(self, at, move_clock):
        held = ending(alice(), 10)
        at(3)
        assert expiry.announce() == 1
        Conversation.objects.filter(pk=held.pk).update(
            hidden_from=F("hidden_from") + timedelta(days=30), purge_after=F("purge_after") + timedelta(days=30)
        )
        for day in (4, 9, 10, 32):
            at(day)
            assert expiry.announce() == 0
        at(33)
        assert expiry.announce() == 1

    def test_at_nine_where_the_person_lives(self, at):
        decided(bob(), Training.DENY)
        User.objects.filter(pk=bob().pk).update(time_zone="America/New_York")
        ending(alice(), 7, 12)
        ending(bob(), 7, 12)
        at(1, 10)
        expiry.announce()
        assert [message.to for message in mail.outbox] == [[alice().email]]
        at(1, 16)  # at least nine in New York
        expiry.announce()
        assert [message.to for message in mail.outbox] == [[alice().email], [bob().email]]

    def test_a_zone_that_nobody_knows_is_utc(self, at):
        User.objects.filter(pk=alice().pk).update(time_zone="Mars/Olympus")
        ending(alice(), 5)
        at(2, 13)
        assert expiry.announce() == 1

    def test_the_background_worker_looks_every_hour(self):
        one = TASKS["say what ends soon"]
        assert (one["task"], one["schedule"]) == ("privacy.tasks.say_what_ends", timedelta(hours=1))


@pytest.mark.usefixtures("lives_in_vienna")
class TestWhat:
    def test_what_does_not_end_or_is_over_or_temporary_is_not_told_of(self, at):
        ending(alice(), 5, hidden_from=None, purge_after=None)
        ending(alice(), 1)
        ending(alice(), 5, temporary=True, tag_class="temporary")
        at(2)
        assert expiry.announce() == 0

    def test_nor_what_is_deleted_kept_held_or_flagged(self, at):
        deleted, kept, held = (ending(alice(), 5) for _ in range(3))
        ending(alice(), 5, flagged_at=clock.now())
        conversations.delete(alice(), conversation=deleted.public_id)
        conversations.keep(alice(), conversation=kept.public_id)
        Conversation.objects.filter(pk=held.pk).update(held=True, purge_after=None)
        at(2)
        assert expiry.announce() == 0
        ending(alice(), 5)
        at(2)
        assert expiry.announce() == 1 and "1 chat of yours" in mail.outbox[0].body

    def test_a_legal_hold_silences_it(self, at):
        held = ending(alice(), 5)
        holds.place(Conversation.objects.get(pk=held.pk), "A claim", by=stella())
        at(2)
        assert expiry.announce() == 0

    def test_nor_what_a_newer_answer_has_not_reached_yet(self, at):
        held = ending(alice(), 5)
        Conversation.objects.filter(pk=held.pk).update(tag_epoch=7)
        at(2)
        assert expiry.announce() == 0

    def test_a_work_chat_that_ends_is_as_long_as_its_author_may_enter(self, at):
        ending(will(), 5, held_by=asked_in(will(), works()).conversation)
        ending(wendy(), 5, held_by=asked_in(wendy(), works()).conversation)
        User.objects.filter(pk__in=[will().pk, wendy().pk]).update(time_zone="Europe/Vienna")
        will().memberships.filter(workspace=works()).delete()
        at(2)
        assert expiry.announce() == 1 and mail.outbox[0].to == [wendy().email]

    def test_no_word_of_anybody_and_where_to_see_which(self, at, settings):
        settings.LINK_ORIGIN = "https://chat.example.org"
        held = ending(alice(), 5, 18)
        at(2)
        expiry.announce()
        [message] = mail.outbox
        held.refresh_from_db()
        assert "The title" not in message.body + message.subject and str(held.public_id) not in message.body
        assert "\nhttps://chat.example.org/privacy/chats/?within=7\n" in message.body
        end = held.hidden_from.astimezone(VIENNA)
        assert f"{end.day} {end:%B} {end.year}, 18:00 (Europe/Vienna)" in message.body

    def test_names_cannot_bend_the_mail(self, at):
        User.objects.filter(pk=alice().pk).update(display_name="A\r\nBcc: x@evil.example <b>")
        ending(alice(), 5)
        at(2)
        expiry.announce()
        assert not mail.outbox[0].bcc and "\n" not in mail.outbox[0].subject

    def test_closed_accounts_get_none(self, at):
        ending(alice(), 5)
        User.objects.filter(pk=alice().pk).update(is_active=False)
        at(2)
        assert expiry.announce() == 0


@pytest.mark.usefixtures("lives_in_vienna")
class TestFailure:
    def test_what_the_mail_server_refused_is_sent_later_and_counts_for_that_day(self, at, monkeypatch):
        def away(*_):
            raise smtplib.SMTPServerDisconnected

        ending(alice(), 5)
        at(1)
        monkeypatch.setattr(EmailBackend, "send_messages", away)
        assert expiry.announce() == 0 and ExpiryNotice.objects.get().sent_at is None
        monkeypatch.undo()
        ending(alice(), 9, 12)
        at(2)
        assert (expiry.announce(), expiry.announce()) == (1, 0)
        assert "2 chats of yours" in mail.outbox[0].body
        at(3)
        assert expiry.announce() == 0

    def test_one_sent_again_after_a_crash_bears_the_same_id(self, at, monkeypatch):
        def dies(*_, **__):
            raise KeyboardInterrupt

        ending(alice(), 5)
        at(1)
        monkeypatch.setattr(ExpiryNotice, "save", dies)
        with pytest.raises(KeyboardInterrupt):
            expiry.announce()
        monkeypatch.undo()
        at(1, 11)
        assert expiry.announce() == 1
        first, second = mail.outbox
        assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]

    def test_what_was_claimed_and_has_nothing_to_say_any_more_is_not_sent(self, at, monkeypatch):
        held = ending(alice(), 5)
        at(1)
        monkeypatch.setattr("privacy.expiry._send_claimed", lambda *_: 0)
        expiry.announce()
        assert ExpiryNotice.objects.count() == 1
        monkeypatch.undo()
        at(1)
        conversations.keep(alice(), conversation=held.public_id)
        assert expiry.announce() == 0 and not ExpiryNotice.objects.exists()
        ending(alice(), 6)
        at(1)
        assert expiry.announce() == 1

    def test_what_has_served_is_forgotten_and_nothing_is_told_twice_for_that(self, at, move_clock):
        ending(alice(), 5)
        at(1)
        expiry.announce()
        expiry.forget(clock.now())
        assert ExpiryNotice.objects.count() == 1
        at(45)
        expiry.forget(clock.now())
        assert not ExpiryNotice.objects.exists()


def test_two_workers_send_it_once(committed, at):
    decided(alice(), Training.DENY)
    ending(alice(), 5)
    at(1)
    sent: list[int] = []
    assert at_once(*[lambda: sent.append(expiry.announce())] * 4) == []
    assert sum(sent) == 1 and len(mail.outbox) == 1
