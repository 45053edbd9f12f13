"""Putting the answer off: before the deadline, once a day at most, and never an answer."""

import re
from datetime import timedelta

import pytest

from privacy import notices
from privacy.models import Event, Notice
from privacy.vocabulary import Act, Source, Training
from tests.choosing import CHOICE, DEFER, FETCH, token
from tests.people import alice
from tests.scenes import asked, decided, published

pytestmark = pytest.mark.django_db
CHAT = "/chat/"


@pytest.fixture
def owing(client):
    """Alice allowed under the terms of before; new ones ask her, with thirty days' time."""
    decided(alice(), Training.ALLOW)
    client.force_login(alice())
    return published()


def acts() -> list[str]:
    return [event.act for event in Event.objects.of(alice()).order_by("pk")]


class TestNotNow:
    def asks_by_itself(self, client) -> str:
        """Whether the dialog opens, and under what; without being asked for, it holds the question only then."""
        page = client.get(CHAT).content.decode()
        found = re.search(r'<dialog[^>]*data-asks="(\w*)"[^>]*>(.*?)</dialog>', page, re.S)
        assert found and ("question-title" in found[2]) == bool(found[1])
        return found[1]

    def test_whoever_asks_for_it_meanwhile_gets_it_in_the_dialog(self, client, owing):
        self.put_off(client)
        asked_for = client.get(CHOICE, {"source": "dialog"}, headers=FETCH).content.decode()
        assert "<html" not in asked_for and 'name="source" value="dialog"' in asked_for
        sent = {"token": re.search(r'name="token" value="([^"]+)"', asked_for)[1], "training": "deny"}
        assert client.post(CHOICE, sent | {"source": "dialog"}, headers=FETCH)["Parley-Choice"] == "recorded"
        assert acts()[-1] == Act.TRAINING_WITHDRAWN and "<dialog" not in client.get(CHAT).content.decode()

    def test_what_cannot_be_put_off_any_more_is_asked_in_the_dialog(self, client, owing, move_clock):
        sent = {"token": token(client.get(CHAT)), "source": "dialog"}
        move_clock(days=30, hours=1)
        for given in (sent, sent | {"token": "x"}):
            told = client.post(DEFER, given, headers=FETCH)
            assert told.status_code == 200 and "<html" not in told.content.decode()
            assert "Not now" not in told.content.decode() and 'role="alert"' in told.content.decode()
        assert Act.DEFERRED not in acts()

    def put_off(self, client, **more):
        return client.post(DEFER, {"token": token(client.get(CHAT)), "next": CHAT}, **more)

    def test_it_is_recorded_and_asked_again_after_a_day(self, client, owing, move_clock):
        assert self.put_off(client).status_code == 302
        assert self.asks_by_itself(client) == ""
        assert "Please choose by" in client.get(CHAT).content.decode()
        move_clock(hours=23)
        assert self.asks_by_itself(client) == ""
        move_clock(hours=25)
        assert self.asks_by_itself(client) == "ask"
        assert acts().count(Act.DEFERRED) == 1 and asked(alice())

    def test_three_days_three_times(self, client, owing, move_clock):
        for day in range(3):
            move_clock(days=day, minutes=day)
            client.force_login(alice())
            self.put_off(client, headers=FETCH)
        assert acts().count(Act.DEFERRED) == 3
        assert Notice.objects.get(user=alice(), source=Source.DIALOG).deferrals == 3

    def test_twice_within_a_day_is_once(self, client, owing):
        sent = {"token": token(client.get(CHAT))}
        for _ in range(2):
            client.post(DEFER, sent)
        assert acts().count(Act.DEFERRED) == 1

    def test_after_the_deadline_there_is_no_way_round(self, client, owing, move_clock):
        sent = {"token": token(client.get(CHAT))}
        move_clock(days=31)
        client.force_login(alice())
        page = client.get(CHOICE).content.decode()
        assert "Not now" not in page and "Sign out" in page
        move_clock(days=30, hours=1)
        told = client.post(DEFER, sent, follow=True).content.decode()
        assert "question" in told and Act.DEFERRED not in acts()

    @pytest.mark.parametrize("sent", ["", "x", "é" * 5000])
    def test_without_a_token_nothing_happens(self, client, owing, sent):
        assert client.post(DEFER, {"token": sent}).status_code == 302
        assert Act.DEFERRED not in acts()

    def test_it_is_a_post(self, client, owing):
        assert client.get(DEFER).status_code == 405


def test_a_day_is_a_day():
    assert timedelta(days=1) == notices.PUT_OFF
