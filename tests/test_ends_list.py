"""The list of what ends soon: which chats are in it, in whole days of the person's own, and acts on just those."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import clock
from chat.models import Conversation
from chat.turns import conversations
from privacy import ends
from privacy.vocabulary import Training
from tests.people import alice, bob
from tests.privacy_page import PAGE, section, text
from tests.scenes import answered, decided

pytestmark = pytest.mark.django_db
CHATS, ACT = "/privacy/chats/", "/privacy/chats/act/"
WEEK, MONTH = f"{CHATS}?within=7", f"{CHATS}?within=30"


@pytest.fixture
def client(client):
    client.force_login(alice())
    return client


@pytest.fixture
def four():
    """Four chats of Alice's, that end in three, six, twenty and never; each is named for it."""
    decided(alice(), Training.DENY)
    found = {}
    for days in (20, 3, None, 6):
        name = f"In {days} days" if days else "Never"
        held = answered(alice(), name).conversation
        end = clock.now() + timedelta(days=days) if days else None
        more = {} if days else {"kept": True, "tag_class": "kept"}
        Conversation.objects.filter(pk=held.pk).update(title=name, hidden_from=end, purge_after=end, **more)
        found[days] = held
    return found


def titles(page) -> list[str]:
    return [unescape(one) for one in re.findall(r'<a href="/chat/[^"]+/why">(.*?)<span', page.content.decode())]


def field(page, name: str) -> str:
    found = re.search(f'name="{name}" value="([^"]*)"', page.content.decode())
    assert found
    return unescape(found[1])


class TestHorizon:
    @pytest.mark.parametrize(
        ("at", "zone", "expected"),
        [
            (datetime(2026, 3, 1, 12, tzinfo=UTC), "UTC", datetime(2026, 3, 9, tzinfo=UTC)),
            (datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "Europe/Vienna", datetime(2026, 3, 9, 23, tzinfo=UTC)),
            # Summer time begins on the 29th: midnight is an hour earlier in UTC from then on.
            (datetime(2026, 3, 25, 12, tzinfo=UTC), "Europe/Vienna", datetime(2026, 4, 1, 22, tzinfo=UTC)),
            (datetime(2026, 3, 1, 2, tzinfo=UTC), "America/New_York", datetime(2026, 3, 8, 5, tzinfo=UTC)),
        ],
    )
    def test_is_the_midnight_after_the_last_day_where_the_person_lives(self, at, zone, expected):
        with timezone.override(zone):
            assert ends.horizon(7, at) == expected


class TestList:
    def test_has_what_ends_within_so_many_days_the_first_first(self, client, four):
        assert titles(client.get(WEEK)) == ["In 3 days", "In 6 days"]
        assert titles(client.get(MONTH)) == ["In 3 days", "In 6 days", "In 20 days"]
        assert len(titles(client.get(CHATS))) == 4
        assert "2 chats. Those that end soonest come first." in text(client.get(WEEK))

    def test_within_a_class_too(self, client, four):
        assert len(titles(client.get(f"{MONTH}&class=standard"))) == 3
        assert titles(client.get(f"{MONTH}&class=kept")) == []

    def test_where_nothing_ends_it_says_so(self, client, four):
        Conversation.objects.update(hidden_from=None)
        assert "Nothing ends in the next seven days." in text(client.get(WEEK))
        assert "Nothing ends in the next 30 days." in text(client.get(MONTH))

    @pytest.mark.parametrize("wanted", ["", "0", "8", "-7", "7.0", "07", "x", "9" * 5000, "\x00"])
    def test_a_number_that_is_none_means_all(self, client, four, wanted):
        page = client.get(CHATS, {"within": wanted})
        assert page.status_code == 200 and len(titles(page)) == 4

    def test_what_is_temporary_deleted_over_or_somebody_elses_is_not_in_it(self, client, four, move_clock):
        Conversation.objects.filter(pk=four[3].pk).update(temporary=True)
        conversations.delete(alice(), conversation=four[6].public_id)
        decided(bob(), Training.DENY)
        Conversation.objects.filter(pk=answered(bob()).conversation.pk).update(hidden_from=clock.now())
        assert titles(client.get(WEEK)) == []
        assert titles(client.get(MONTH)) == ["In 20 days"]
        move_clock(days=21)
        client.force_login(alice())
        assert titles(client.get(MONTH)) == []

    def test_pages_follow_each_other_within_it(self, client, four):
        end = clock.now() + timedelta(days=2)
        Conversation.objects.bulk_create(
            Conversation(
                workspace=alice().personal_workspace,
                author=alice(),
                tag_class="standard",
                tag_reason="denied",
                hidden_from=end,
            )
            for _ in range(60)
        )
        page = client.get(WEEK)
        assert "62 chats" in text(page) and '?within=7&amp;page=2" rel="next"' in page.content.decode()
        assert len(titles(client.get(f"{WEEK}&page=2"))) == 12

    def test_the_number_of_queries_does_not_grow(self, client, four):
        def queries() -> int:
            with CaptureQueriesContext(connection) as made:
                client.get(MONTH)
            return len(made)

        few = queries()
        for _ in range(30):
            Conversation.objects.create(
                workspace=alice().personal_workspace,
                author=alice(),
                tag_class="standard",
                tag_reason="denied",
                hidden_from=clock.now() + timedelta(days=1),
            )
        assert queries() == few

    def test_the_privacy_page_leads_there_while_something_ends(self, client, four):
        assert "2 chats end within 7 days" in section(client.get(PAGE), "chats")
        Conversation.objects.update(hidden_from=None)
        assert "within 7 days" not in section(client.get(PAGE), "chats")


class TestActs:
    def send(self, client, act: str, **more):
        page = client.get(WEEK)
        sent = {"act": act, "all": "on", "at": field(page, "at"), "within": field(page, "within")}
        return client.post(ACT, {**sent, **more})

    def test_keep_all_of_these_keeps_no_other(self, client, four):
        answer = self.send(client, "keep")
        assert answer.headers["Location"] == WEEK
        assert set(Conversation.objects.filter(kept=True)) == {four[3], four[6], four[None]}
        assert titles(client.get(WEEK)) == []

    def test_delete_all_of_these_asks_first_and_deletes_no_other(self, client, four):
        asked = self.send(client, "delete")
        assert "Delete 2 chats?" in text(asked) and field(asked, "within") == "7"
        done = self.send(client, "delete", confirmed="on", at=field(asked, "at"))
        assert done.headers["Location"].startswith(f"{WEEK}&deleted=")
        assert set(Conversation.objects.filter(deleted_at=None)) == {four[20], four[None]}
        page = client.get(done.headers["Location"])
        assert "2 chats are deleted." in text(page)
        back = client.post(f"{CHATS}undelete/", {"at": field(page, "at"), "within": "7"})
        assert back.headers["Location"] == WEEK and len(titles(client.get(CHATS))) == 4

    def test_all_of_these_are_those_of_the_list_and_not_of_a_later_day(self, client, four, move_clock):
        at = field(client.get(WEEK), "at")
        Conversation.objects.filter(pk=four[20].pk).update(hidden_from=clock.now() + timedelta(days=8, hours=1))
        move_clock(days=1)
        client.force_login(alice())
        client.post(ACT, {"act": "keep", "all": "on", "at": at, "within": "7"})
        assert not Conversation.objects.get(pk=four[20].pk).kept
        assert "In 20 days" in titles(client.get(WEEK))
