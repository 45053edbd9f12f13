"""Staff hears of a stopped sweep by e-mail: everybody who may answer, nobody else, once."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend

from privacy import alarm, breaker
from privacy import sweep as sweeping
from privacy.models import SweepStop
from tests.people import alice, bob, max_, stella
from tests.test_breaker import three_expired

pytestmark = pytest.mark.django_db


@pytest.fixture
def stopped(settings, move_clock) -> SweepStop:
    stella(), bob()
    three_expired(settings, move_clock)
    sweeping.sweep()
    return SweepStop.objects.get()


def may_answer() -> Permission:
    return Permission.objects.get(codename="answer_sweepstop")


def test_it_says_how_many_and_leads_to_the_answer_and_comes_once(stopped, mailoutbox, client):
    assert alarm.tell_staff() == 1 and alarm.tell_staff() == 0
    sweeping.sweep()
    assert alarm.tell_staff() == 0
    (mail,) = mailoutbox
    assert mail.to == [stella().email] and mail.subject == "Parley: the sweep stopped; 3 chats wait for your answer"
    assert "3 of 4 chats are due" in mail.body
    link = next(word for word in mail.body.split() if word.startswith("http"))
    client.force_login(stella())
    assert client.get("/" + link.split("/", 3)[3]).status_code == 200


def test_whoever_may_answer_hears_and_nobody_else(stopped, mailoutbox):
    for person, staff in ((alice(), False), (bob(), True), (max_(), True)):
        person.is_staff = staff
        person.save()
    alice().user_permissions.add(may_answer())  # left from when she was staff
    group = Group.objects.create(name="Keepers")
    group.permissions.add(may_answer())
    bob().groups.add(group)
    bob().user_permissions.add(may_answer())  # twice is once
    alarm.tell_staff()
    assert sorted(address for mail in mailoutbox for address in mail.to) == sorted([bob().email, stella().email])


def test_one_that_is_answered_is_not_sent_and_a_new_one_is(stopped, mailoutbox, move_clock):
    breaker.answer(stopped, SweepStop.Answer.NO, "Not yet", by=stella())
    assert alarm.tell_staff() == 0
    move_clock(days=32, hours=1)
    sweeping.sweep()
    assert alarm.tell_staff() == 1 and len(mailoutbox) == 1


class Down(BaseEmailBackend):
    def send_messages(self, messages):
        raise OSError("no route to host")


def test_what_could_not_be_sent_is_sent_later_under_the_same_name(stopped, mailoutbox):
    assert alarm.tell_staff(through=Down()) == 0
    assert SweepStop.objects.get().told_at is None
    assert alarm.tell_staff(through=get_connection()) == 1
    first = mailoutbox[0].extra_headers["Message-ID"]
    SweepStop.objects.update(told_at=None)  # as after a crash between sending and writing it down
    alarm.tell_staff()
    assert mailoutbox[1].extra_headers["Message-ID"] == first
