"""What would follow from either answer, and from keeping the history: counted and said before anybody confirms."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.template.defaultfilters import date
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import clock
from accounts.models import User
from chat.models import Conversation
from privacy.vocabulary import Training
from tests.people import alice
from tests.privacy_page import PAGE, beside, day, section, text
from tests.scenes import answered, decided, published

pytestmark = pytest.mark.django_db
ALLOW, DENY = Training.ALLOW, Training.DENY
MONTH = timedelta(days=30)


@pytest.fixture
def client(client):
    client.force_login(alice())
    return client


def skeleton(card: str) -> str:
    """How a card is built, without what it says and what is marked in it."""
    card = re.sub(r' <span class="chip">.*?</span>|<span class="line">.*?</span>| checked', "", card)
    return re.sub(r">[^<]+<", "><", re.sub("allow|deny", "", card))


class TestWhatWouldFollow:
    """Counted before anybody confirms: beside both answers, and for the history."""

    def test_turning_it_off_says_how_many_and_until_when(self, client):
        decided(alice(), ALLOW)
        for _ in range(38):
            answered(alice())
        page, until = client.get(PAGE), day(clock.now() + MONTH)
        assert (
            f"38 chats would no longer be used for training. They stay until {until} at the earliest, "
            "or longer if you keep your history."
        ) in beside(page, "deny")
        assert "38 chats would no longer be used for training. They stay until you delete them." in beside(
            page, "deny", kept=True
        )
        assert "38 chats may go on being used for training." in beside(page, "allow")

    def test_one_is_one(self, client):
        decided(alice(), ALLOW)
        answered(alice())
        page, until = client.get(PAGE), day(clock.now() + MONTH)
        assert f"1 chat would no longer be used for training. It stays until {until}, or longer" in beside(page, "deny")
        assert "1 chat would have no end any more and stay until you delete it." in section(page, "change")
        assert "1 chats" not in text(page)

    def test_turning_it_on_concerns_chats_to_come_only(self, client):
        decided(alice(), DENY)
        for _ in range(3):
            answered(alice())
        page = client.get(PAGE)
        assert beside(page, "allow") == (
            "Chats begun from now on may be used to train models and are kept for 5 years after their last message. "
            "None of your 3 chats of today would train: they were begun before."
        )
        assert beside(page, "deny").endswith("Nothing changes for 3 chats.")
        assert "Chats begun from now on may be used to train models, until 5 years after" in beside(
            page, "allow", kept=True
        )

    def test_keeping_the_history_and_letting_it_go(self, client):
        decided(alice(), DENY)
        for _ in range(2):
            answered(alice())
        assert "With the tick: 2 chats would have no end any more" in section(client.get(PAGE), "change")
        decided(alice(), DENY, keep_history=True)
        page, until = client.get(PAGE), day(clock.now() + MONTH)
        assert (
            f"Without the tick: 2 chats would end, the first on {until}. No end comes nearer than 30 days from now."
        ) in section(page, "change")
        assert f"2 chats would end, the first on {until}." in beside(page, "deny")

    def test_kept_chats_stop_training_and_stay(self, client):
        decided(alice(), ALLOW, keep_history=True)
        answered(alice())
        page = client.get(PAGE)
        assert "1 chat would no longer be used for training. It stays until you delete it." in beside(
            page, "deny", kept=True
        )
        assert "1 kept" not in beside(page, "deny") and "Of these" not in section(page, "chats")

    def test_newer_terms_that_count_another_time_say_so(self, client):
        decided(alice(), DENY)
        answered(alice())
        published(standard_days=60)
        end = day(clock.now() + MONTH * 2)
        assert f"these terms count another time: it would end on {end}" in beside(client.get(PAGE), "deny")
        assert "kept for 60 days after their last message" in beside(client.get(PAGE), "deny")

    def test_days_are_those_of_the_persons_zone(self, client):
        User.objects.filter(pk=alice().pk).update(time_zone="Pacific/Kiritimati")  # fourteen hours ahead
        decided(alice(), ALLOW)
        answered(alice())
        with timezone.override("Pacific/Kiritimati"):
            until = date(timezone.localtime(clock.now() + MONTH), "j F Y")
        assert f"It stays until {until}" in beside(client.get(PAGE), "deny")

    def test_large_numbers_can_be_read(self, client):
        decided(alice(), ALLOW)
        row = answered(alice()).conversation
        same = {field.name: getattr(row, field.name) for field in row._meta.fields}
        del same["id"], same["public_id"], same["leaf"]
        Conversation.objects.bulk_create(Conversation(**same) for _ in range(1233))
        page = client.get(PAGE)
        assert "1,234 chats would no longer be used" in beside(page, "deny")
        assert "May train models: 1,234 chats" in section(page, "chats")

    def test_without_chats_nothing_is_counted(self, client):
        said = section(client.get(PAGE), "change")
        assert "0 chat" not in said and "tick:" not in said and "Nothing changes" not in said

    def test_what_stands_is_shown_as_such_and_both_answers_are_built_alike(self, client):
        decided(alice(), ALLOW)
        page = client.get(PAGE).content.decode()
        cards = re.findall(r'<label class="answer".*?</label>', page, re.S)
        assert len(cards) == 2 and page.count("Applies now") == 1
        assert [("Applies now" in card, "checked" in card) for card in cards if "answer-allow" in card] == [
            (True, True)
        ]
        assert len({skeleton(card) for card in cards}) == 1
        published()
        page = client.get(PAGE).content.decode()
        assert "Applies now" not in page and page.count("Your earlier answer") == 1

    def test_the_number_of_queries_does_not_grow(self, client):
        decided(alice(), ALLOW)
        asked_of_the_database = []
        for many in (1, 30):
            for _ in range(many):
                answered(alice())
            client.get(PAGE)
            with CaptureQueriesContext(connection) as queries:
                client.get(PAGE)
            asked_of_the_database.append(len(queries))
        assert asked_of_the_database[0] == asked_of_the_database[1]
