"""The lists that the privacy page leads to: what applies to each chat, and everything that was recorded."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import User
from chat.models import Conversation
from chat.turns import conversations
from privacy import holdings, ledger
from privacy.evidence.receipt import CHOICES
from privacy.inventory import Chats
from privacy.models import Event, Terms
from privacy.vocabulary import Act, RetentionClass, Source, Training
from tests.people import alice, bob, wendy, will, works
from tests.privacy_page import text, words
from tests.scenes import answered, asked_in, decided, published

pytestmark = pytest.mark.django_db
CHATS, HISTORY = "/privacy/chats/", "/privacy/history/"
NONSENSE = ["", "0", "-1", "x", "1e9", "99999999999999999999", "9" * 5000, "\x00", "é", "1;drop table"]


@pytest.fixture
def client(client):
    client.force_login(alice())
    return client


def laid(user: User, count: int, **more) -> None:
    """So many standard chats, the first of which ends soonest."""
    now = clock.now()
    Conversation.objects.bulk_create(
        Conversation(
            workspace=user.personal_workspace,
            author=user,
            title=f"Talk number {n}.",
            **{
                "tag_class": "standard",
                "tag_reason": "denied",
                "hidden_from": now + timedelta(days=1, minutes=n),
                **more,
            },
        )
        for n in range(count)
    )


def titles(page) -> list[str]:
    return [unescape(one) for one in re.findall(r'<a href="/chat/[^"]+/why">(.*?)<span', page.content.decode())]


class TestEachChat:
    def test_says_what_applies_and_leads_to_the_reasons(self, client):
        decided(alice(), Training.ALLOW)
        held = answered(alice(), "How far is the moon?").conversation
        page = client.get(CHATS)
        assert titles(page) == ["How far is the moon?"] and "· may train models. You allowed training" in text(page)
        why = client.get(f"/chat/{held.public_id}/why")
        assert why.status_code == 200 and "How far is the moon?" in why.content.decode()

    def test_by_class_and_all_together_what_ends_soonest_first(self, client):
        decided(alice(), Training.DENY)
        laid(alice(), 2)
        laid(alice(), 1, tag_class="kept", hidden_from=None)
        assert titles(client.get(CHATS)) == ["Talk number 0.", "Talk number 1.", "Talk number 0."]
        assert len(titles(client.get(f"{CHATS}?class=standard"))) == 2
        assert len(titles(client.get(f"{CHATS}?class=kept"))) == 1
        assert "There are none." in text(client.get(f"{CHATS}?class=temporary"))

    @pytest.mark.parametrize("wanted", [*NONSENSE, "STANDARD", "standard\x00", "<script>"])
    def test_a_class_that_is_none_means_all(self, client, wanted):
        laid(alice(), 1)
        page = client.get(CHATS, {"class": wanted})
        assert page.status_code == 200 and len(titles(page)) == 1 and "<script>alert" not in page.content.decode()

    @pytest.mark.parametrize("wanted", NONSENSE)
    def test_a_page_that_is_none_shows_one_that_is(self, client, wanted):
        laid(alice(), 3)
        assert len(titles(client.get(CHATS, {"page": wanted}))) == 3

    def test_pages_of_a_class_follow_each_other(self, client):
        laid(alice(), 120)
        laid(alice(), 1, tag_class="kept", hidden_from=None)
        seen, address = [], f"{CHATS}?class=standard"
        while address:
            page = client.get(address)
            seen += titles(page)
            following = re.search(r'<a href="([^"]+)" rel="next"', page.content.decode())
            address = CHATS + unescape(following[1]) if following else ""
        assert seen == [f"Talk number {n}." for n in range(120)]
        assert "Page 3 of 3" in text(page)

    def test_what_is_deleted_hidden_foreign_or_left_behind_is_not_there(self, client):
        decided(alice(), Training.DENY)
        conversations.delete(alice(), conversation=answered(alice(), "Deleted").conversation.public_id)
        laid(alice(), 1, hidden_from=clock.now() - timedelta(minutes=1))
        laid(bob(), 1)
        assert titles(client.get(CHATS)) == []
        asked_in(will(), works(), "At work")
        client.force_login(will())
        assert titles(client.get(CHATS)) == ["At work"]
        asked_in(wendy(), works(), "By somebody else at the same work")
        assert titles(client.get(CHATS)) == ["At work"]
        will().memberships.filter(workspace=works()).delete()
        assert titles(client.get(CHATS)) == []

    def test_a_title_cannot_bring_markup_along(self, client):
        laid(alice(), 1)
        Conversation.objects.update(title="<img src=x>")
        page = client.get(CHATS)
        assert titles(page) == ["<img src=x>"] and "<img src=x>" not in page.content.decode()

    def test_one_without_a_title_has_a_name(self, client):
        laid(alice(), 1)
        Conversation.objects.update(title="")
        assert titles(client.get(CHATS)) == ["New chat"]

    def test_the_number_of_queries_does_not_grow(self, client):
        counts = []
        for many in (1, 30, 500):
            laid(alice(), many)
            with CaptureQueriesContext(connection) as queries:
                client.get(CHATS)
            counts.append(len(queries))
        assert len(set(counts)) == 1

    def test_several_holdings_are_one_list(self, monkeypatch):
        laid(alice(), 3)
        one = next(holding for holding in holdings.all_holdings() if holding.tagged)
        monkeypatch.setattr("privacy.inventory.tagged_holdings", lambda: [(one, Conversation), (one, Conversation)])
        both = Chats(alice())
        names = [row.title for _, row in both[0:6]]
        assert both.count() == 6 and names == [f"Talk number {n}." for n in (0, 1, 2, 0, 1, 2)]
        for begin in range(7):
            for end in range(begin, 8):
                assert [row.title for _, row in both[begin:end]] == names[begin:end]


def test_every_holding_with_tagged_rows_can_name_them():
    assert [holding.name for holding, _ in holdings.tagged_holdings() if holding.describe is None] == []


def test_classes_are_all_named():
    from privacy.prose import class_title

    assert len({class_title(one) for one in RetentionClass}) == len(RetentionClass)


class TestHistory:
    def entries(self, page) -> list[str]:
        found = re.search(r'<ol class="timeline">.*?</ol>', page.content.decode(), re.S)
        return [words(one) for one in re.findall(r"<li>(.*?)</li>", found[0], re.S)] if found else []

    def test_newest_first_each_with_its_door_version_and_receipt(self, client, move_clock):
        decided(alice(), Training.ALLOW, keep_history=True)
        move_clock(days=1)
        decided(alice(), Training.DENY, keep_history=True)
        published(title="Terms of winter")
        client.force_login(alice())
        client.get("/privacy/choice/")
        page = client.get(HISTORY)
        shown, withdrawn, first = self.entries(page)
        assert "Was shown the terms and the question, on the page of the question Terms of winter" in shown
        assert "Receipt" not in shown and "Receipt" in withdrawn
        assert "Withdrew the permission to train, on the page of the question" in withdrawn
        assert "Accepted the terms Allowed training Asked to keep the history, on the page" in first
        assert first.count("Receipt") == 1
        receipts = re.findall(r'href="(/privacy/receipts/[^"]+)"', page.content.decode())
        assert [client.get(address).status_code for address in receipts] == [200, 200]
        client.force_login(bob())
        assert {client.get(address).status_code for address in receipts} == {404}

    @pytest.mark.parametrize("act", [act for act in Act if act is not Act.ERASED])
    @pytest.mark.parametrize("source", [Source.SCHEDULE, Source.ADMIN])
    def test_whatever_was_recorded_has_words_and_a_receipt_where_there_is_one(self, client, act, source):
        for terms in (None, Terms.objects.get()):
            ledger.record(act, source=source, subject=alice(), terms=terms)
        page = client.get(HISTORY)
        said = self.entries(page)
        assert len(said) == 2 and all(act.sentence in one for one in said)
        receipts = re.findall(r'href="(/privacy/receipts/[^"]+)"', page.content.decode())
        assert len(receipts) == (act in CHOICES) and all(client.get(one).status_code == 200 for one in receipts)

    def test_long_ones_have_pages_and_the_privacy_page_the_latest(self, client):
        for n in range(120):
            ledger.record(Act.REMINDER_SENT, source=Source.SCHEDULE, subject=alice(), detail={"days": n})
        counts = [len(self.entries(client.get(HISTORY, {"page": n}))) for n in (1, 2, 3)]
        assert counts == [50, 50, 20] and "Page 3 of 3" in text(client.get(HISTORY, {"page": 3}))
        page = client.get("/privacy/")
        assert len(self.entries(page)) == 10 and "Everything that was recorded" in text(page)

    @pytest.mark.parametrize("wanted", NONSENSE)
    def test_a_page_that_is_none_shows_one_that_is(self, client, wanted):
        decided(alice(), Training.DENY)
        assert len(self.entries(client.get(HISTORY, {"page": wanted}))) == 1

    def test_of_somebody_of_whom_nothing_is_recorded(self, client):
        assert "Nothing yet." in text(client.get(HISTORY))

    def test_it_is_nobody_elses(self, client):
        decided(bob(), Training.ALLOW)
        assert "Nothing yet." in text(client.get(HISTORY)) and Event.objects.exists()
        # Not even what happened at the very same moment.
        ledger.record(Act.DEFERRED, source=Source.PAGE, subject=alice(), at=Event.objects.latest("pk").at)
        assert len(self.entries(client.get(HISTORY))) == 1 and "Allowed" not in text(client.get(HISTORY))

    def test_the_number_of_queries_does_not_grow(self, client):
        counts = []
        for many in (1, 30):
            for _ in range(many):
                decided(alice(), Training.ALLOW)
                decided(alice(), Training.DENY)
            with CaptureQueriesContext(connection) as queries:
                client.get(HISTORY)
            with CaptureQueriesContext(connection) as more:
                client.get("/privacy/")
            counts.append((len(queries), len(more)))
        assert counts[0] == counts[1]
