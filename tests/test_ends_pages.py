"""What people see and say about ends that come near: the line beside the chats, and whether they want e-mails."""

import re
from datetime import timedelta

import pytest
from django.core import mail, signing
from django.test import Client

from accounts import clock
from accounts.models import User
from chat.models import Conversation
from chat.sidebar import SHOWN
from privacy import ends, expiry
from privacy.models import ExpirySetting
from privacy.vocabulary import Training
from tests.exporting import exported
from tests.people import alice, bob
from tests.privacy_page import PAGE, section, text
from tests.scenes import answered, decided

pytestmark = pytest.mark.django_db
AWAY, MAILS, CHAT = "/privacy/ends/put-away/", "/privacy/ends/mails/", "/chat/"
LINE = "within 7 days Look"


@pytest.fixture
def client(client):
    decided(alice(), Training.DENY)
    client.force_login(alice())
    return client


def ending(user: User, days: float) -> Conversation:
    held = answered(user).conversation
    end = clock.now() + timedelta(days=days)
    Conversation.objects.filter(pk=held.pk).update(hidden_from=end, purge_after=end)
    return held


class TestLine:
    def test_says_how_many_until_it_is_put_away_and_comes_back_with_the_next(self, client, move_clock):
        assert LINE not in text(client.get(CHAT))
        ending(alice(), 3)
        ending(alice(), 9)
        page = client.get(CHAT)
        assert f"1 chat ends {LINE}" in text(page) and 'href="/privacy/chats/?within=7"' in page.content.decode()
        assert client.post(AWAY, {"next": CHAT}).headers["Location"] == CHAT
        assert LINE not in text(client.get(CHAT))
        move_clock(days=1)
        client.force_login(alice())
        assert LINE not in text(client.get(CHAT))
        move_clock(days=2)
        client.force_login(alice())
        assert f"2 chats end {LINE}" in text(client.get(CHAT))

    def test_what_comes_near_again_after_it_was_put_away_brings_it_back(self, client, move_clock):
        held = ending(alice(), 3)
        client.post(AWAY)
        later = held.begun_at + timedelta(days=33)
        Conversation.objects.filter(pk=held.pk).update(hidden_from=later, purge_after=later)
        move_clock(days=28)
        client.force_login(alice())
        assert f"1 chat ends {LINE}" in text(client.get(CHAT))

    def test_is_each_persons_own(self, client):
        ending(alice(), 3)
        decided(bob(), Training.DENY)
        other = Client()
        other.force_login(bob())
        assert LINE not in text(other.get(CHAT))
        other.post(AWAY)
        assert LINE in text(client.get(CHAT))

    def test_leads_nowhere_else(self, client):
        answer = client.post(AWAY, {"next": "https://evil.example/"})
        assert answer.headers["Location"] == CHAT
        assert client.post(AWAY, headers={"accept": "application/json"}).status_code == 204

    def test_is_not_told_of_what_is_held_or_flagged(self, client):
        for change in ({"held": True}, {"flagged_at": clock.now()}, {"temporary": True}):
            Conversation.objects.filter(pk=ending(alice(), 3).pk).update(**change)
        assert ends.coming(alice()) is None


class TestMails:
    def told(self, move_clock, days: float) -> int:
        move_clock(days=days)
        return expiry.announce()

    def test_are_turned_off_and_on_on_the_privacy_page(self, client, move_clock):
        User.objects.filter(pk=alice().pk).update(time_zone="UTC")
        hour = (24 + 12 - clock.now().hour) / 24  # noon of tomorrow
        ending(alice(), 4)
        assert "You get an e-mail a week before" in section(client.get(PAGE), "chats")
        answer = client.post(MAILS, {"mails": "off"}, follow=True)
        assert "You get no e-mails before chats end." in section(answer, "chats")
        assert self.told(move_clock, hour) == 0
        client.force_login(alice())
        client.post(MAILS, {"mails": "on"})
        assert self.told(move_clock, hour) == 1

    @pytest.mark.parametrize("signed_in", [True, False])
    def test_the_address_in_one_stops_them_by_post_alone(self, client, move_clock, signed_in):
        User.objects.filter(pk=alice().pk).update(time_zone="UTC")
        hour = (24 + 12 - clock.now().hour) / 24
        ending(alice(), 4)
        self.told(move_clock, hour)
        headers = mail.outbox[0].extra_headers
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        found = re.fullmatch(r"<https?://[^/]+(/privacy/ends/off/[^/]+/)>", headers["List-Unsubscribe"])
        assert found and found[1] in mail.outbox[0].body
        reader = Client(enforce_csrf_checks=True)
        if signed_in:
            reader.force_login(bob())  # whoever is signed in at that browser: the address says whose they are
        assert "Stop these e-mails" in text(reader.get(found[1])) and expiry.mails_wanted(alice())
        done = reader.post(found[1], {"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200 and "You get no more of these e-mails" in text(done)
        assert not expiry.mails_wanted(alice()) and expiry.mails_wanted(bob())
        assert reader.post(found[1]).status_code == 200  # once more does no harm

    @pytest.mark.parametrize(
        "token",
        ["x", "a:b:c", signing.dumps("x", salt="something else"), "x" * 5000],
        ids=["short", "like one", "for something else", "long"],
    )
    def test_an_address_that_is_none_of_ours_stops_nothing(self, client, token):
        for send in (client.get, client.post):
            assert send(f"/privacy/ends/off/{token}/").status_code == 404
        assert not ExpirySetting.objects.exists()

    def test_one_of_somebody_who_has_left_says_no_more_than_any(self, client):
        address = expiry.address_to_stop(alice())
        User.objects.filter(pk=alice().pk).update(is_active=False)
        assert Client().post(address).status_code == 200 and not ExpirySetting.objects.exists()

    def test_nobody_turns_off_anothers_on_the_page(self, client):
        assert Client().post(MAILS, {"mails": "off"}).status_code == 302
        client.post(MAILS, {"mails": "off"})
        assert expiry.mails_wanted(bob()) and not expiry.mails_wanted(alice())

    def test_what_they_want_is_in_the_file_of_their_data(self, client):
        client.post(MAILS, {"mails": "off"})
        assert exported(alice())["ends"]["mails"] is False


def test_a_long_list_leads_to_all_of_them(client, monkeypatch):
    assert SHOWN == 200
    monkeypatch.setattr("chat.sidebar.SHOWN", 2)
    for _ in range(2):
        answered(alice())
    assert "All conversations" not in text(client.get(CHAT))
    answered(alice())
    page = client.get(CHAT)
    assert "All conversations" in text(page) and page.content.decode().count('data-conversation="') - 1 == 2


@pytest.mark.parametrize(("here", "there"), [("/chat/", "/chat/temporary/"), ("/chat/temporary/", "/chat/")])
def test_words_come_along_to_the_other_kind_of_chat(client, here, there):
    assert f'form="composer" formaction="{there}"' in client.get(here).content.decode()
    page = client.post(there, {"text": "Half a <thought>", "conversation": "", "parent": ""})
    assert page.status_code == 200 and "Half a &lt;thought&gt;</textarea>" in page.content.decode()
    assert ('name="temporary" value="on"' in page.content.decode()) == (there == "/chat/temporary/")
    assert not Conversation.objects.exists()
