"""The privacy page beyond what applies: changing it, pages that stay open, work, and the ways to everything else."""

import re
from datetime import timedelta
from html import unescape

import pytest

from accounts import clock
from accounts.models import Membership, Workspace
from chat.models import Conversation
from chat.turns import conversations
from privacy import standings
from privacy.models import Event, Standing
from privacy.vocabulary import Training
from tests.people import alice, bob, charlie, wendy, will, works
from tests.privacy_page import FETCH, PAGE, beside, day, section, text, token
from tests.scenes import answered, asked_in, decided, published

pytestmark = pytest.mark.django_db
ALLOW, DENY = Training.ALLOW, Training.DENY
MONTH = timedelta(days=30)


@pytest.fixture
def client(client):
    client.force_login(alice())
    return client


class TestChangingIt:
    def test_one_act_each_way_with_the_same_fields(self, client):
        for training in ("allow", "deny", "allow"):
            sent = {"token": token(client.get(PAGE)), "training": training}
            assert client.post(PAGE, sent).headers["Location"] == PAGE
            assert Standing.objects.get(user=alice()).training == training

    @pytest.mark.parametrize(
        "sent",
        [
            {"training": ["allow", "deny"]},
            {"training": ["deny", "allow"]},
            {"training": ["allow", ""]},
            {"training": ["yes"]},
            {"training": ["ALLOW"]},
            {"training": [""]},
            {"training": ["allow\x00"]},
            {"training": ["a" * 100_000]},
            {},
        ],
        ids=str,
    )
    def test_two_answers_or_none_are_no_answer(self, client, sent):
        decided(alice(), DENY)
        before = Event.objects.count()
        told = client.post(PAGE, {"token": token(client.get(PAGE)), **sent})
        assert told.status_code == 422 and Event.objects.count() == before
        assert Standing.objects.get(user=alice()).training == "deny"

    def test_the_same_answer_twice_in_one_form_is_one(self, client):
        sent = {"token": token(client.get(PAGE)), "training": ["allow", "allow"], "keep_history": ["on", "on"]}
        assert client.post(PAGE, sent).status_code == 302
        standing = Standing.objects.get(user=alice())
        assert (standing.training, standing.keep_history) == ("allow", True)

    def test_a_page_that_was_open_while_another_answered_records_nothing_and_shows_what_stands(self, client):
        decided(alice(), ALLOW)
        old = token(client.get(PAGE))
        decided(alice(), DENY)
        before = Event.objects.count()
        told = client.post(PAGE, {"token": old, "training": "allow", "keep_history": "on"})
        assert "You have answered in another tab" in text(told) and Event.objects.count() == before
        assert Standing.objects.get(user=alice()).training == "deny"
        assert re.search(r'id="answer-deny"[^>]*\schecked', told.content.decode())

    def test_chats_named_in_the_form_are_nobodys_business(self, client):
        decided(bob(), ALLOW)
        theirs = answered(bob()).conversation
        sent = {
            "token": token(client.get(PAGE)),
            "training": "deny",
            "conversation": str(theirs.public_id),
            "user": "2",
        }
        assert client.post(PAGE, sent).status_code == 302
        theirs.refresh_from_db()
        assert theirs.tag_class == "training" and standings.standing_of(bob()).training is ALLOW


class TestAnOpenPage:
    """What a script asks for, which keeps an open page true."""

    def test_it_gets_the_content_alone(self, client):
        decided(alice(), ALLOW)
        told = client.get(PAGE, headers=FETCH).content.decode()
        assert "<html" not in told and '<section id="change"' in told and 'name="token"' in told

    def test_it_takes_no_confirmation_away_from_the_tab_that_answered(self, client):
        client.post(PAGE, {"token": token(client.get(PAGE)), "training": "deny"})
        assert "toast" not in client.get(PAGE, headers=FETCH).content.decode()
        assert "You chose “Don't allow”. You can change this" in text(client.get(PAGE))

    def test_its_name_changes_with_whatever_stands_and_with_nothing_else(self, client, move_clock):
        def stands() -> str:
            return re.search(r'data-stands="([^"]*)"', client.get(PAGE, headers=FETCH).content.decode())[1]  # type: ignore[index]

        names = [stands()]
        for training, keep in ((ALLOW, False), (ALLOW, True), (DENY, True)):
            decided(alice(), training, keep_history=keep)
            names.append(stands())
        answered(alice())
        assert stands() == names[-1]
        published()
        names.append(stands())
        move_clock(days=31)
        client.force_login(alice())
        names.append(stands())
        assert len(set(names)) == len(names)

    def test_the_page_says_where_word_comes_from(self, client):
        page = client.get(PAGE).content.decode()
        assert 'data-socket="/socket/"' in page and "chat/standing.js" in page and "privacy/overview.js" in page


class TestWork:
    def test_a_member_reads_whose_agreement_applies(self, client):
        works()
        asked_in(will(), works())
        asked_in(wendy(), works())
        client.force_login(will())
        said = section(client.get(PAGE), "work")
        assert "Wendy's Works" in said and "It is owned by Wendy." in said
        assert "neither adds nor takes away anything here" in said and "You have 1 chat there." in said
        assert "never train models, unless an owner of the workspace says so" in said and "gives them no end" in said

    def test_an_owner_reads_that_it_is_theirs(self, client):
        works()
        client.force_login(wendy())
        said = section(client.get(PAGE), "work")
        assert "which you own" in said and "You have no chats there." in said

    def test_nobody_else_reads_of_it(self, client):
        works()
        Workspace.objects.open_work(owner=charlie(), name="Charlie's secret workshop")
        for person in (alice(), will()):
            client.force_login(person)
            assert "secret workshop" not in client.get(PAGE).content.decode()
        client.force_login(alice())
        assert '<section id="work"' not in client.get(PAGE).content.decode()

    def test_a_name_cannot_bring_markup_along(self, client):
        hostile = Workspace.objects.open_work(owner=charlie(display_name="<img src=x>"), name="<b>Bold</b>")
        Membership.objects.create(user=alice(), workspace=hostile)
        page = client.get(PAGE).content.decode()
        assert "&lt;b&gt;Bold&lt;/b&gt;" in page and "<img src=x" not in page

    def test_a_members_own_answer_changes_nothing_there(self, client):
        works()
        turn = asked_in(will(), works())
        client.force_login(will())
        for training in (ALLOW, DENY):
            decided(will(), training)
            page = client.get(PAGE)
            assert "It does not train models." in section(page, "chats")
            assert "1 chat" not in beside(page, "allow") + beside(page, "deny")
        turn.conversation.refresh_from_db()
        assert (turn.conversation.tag_class, turn.conversation.hidden_from) == ("agreement", None)


def test_the_way_to_everything_else(client):
    decided(alice(), ALLOW)
    answered(alice())
    page = client.get(PAGE).content.decode()
    for address in ("/terms/", "/privacy/chats/", "/privacy/chats/?class=training"):
        assert f'href="{address}"' in page
    for address in re.findall(r'href="(/(?!static/)[^"#]*)"', page):
        assert client.get(unescape(address), follow=True).status_code == 200, address


def test_the_schedule_is_that_of_the_terms_answered_until_newer_ones_are(client):
    decided(alice(), DENY)
    published(standard_days=1, title="Terms of winter")
    said = section(client.get(PAGE), "schedule")
    assert "30 days after the last message" in said and "What the newer terms would change" in said
    decided(alice(), DENY)
    said = section(client.get(PAGE), "schedule")
    assert "1 day after the last message" in said and "1 days" not in said and "Terms of winter say" in said


def test_the_classes_say_how_many_train_and_when_the_first_ends(client):
    decided(alice(), DENY)
    answered(alice())
    decided(alice(), ALLOW, keep_history=True)
    answered(alice())
    said = section(client.get(PAGE), "chats")
    assert "Kept history: 2 chats They stay until you delete them. Of these, 1 may train models." in said
    decided(alice(), ALLOW)
    said = section(client.get(PAGE), "chats")
    assert "May train models: 1 chat It ends on" in said and "It may train models." in said
    assert f"Standard: 1 chat It ends on {day(clock.now() + MONTH)}. It does not train models." in said
    conversations.delete(alice(), conversation=Conversation.objects.latest("pk").public_id)
    assert "May train models" not in section(client.get(PAGE), "chats")
