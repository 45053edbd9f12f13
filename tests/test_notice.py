"""The notice: what is recorded of showing it, putting it off, answering against the browser's wish, taking it back."""

import re

import pytest
from django.core import signing
from django.urls import reverse

from accounts.models import User
from privacy import choices, notices, standings, versions
from privacy.forms import token_for
from privacy.models import Event, Notice, Standing, TermsTranslation
from privacy.vocabulary import Act, Order, Source, Training
from tests.choosing import CHOICE, FETCH, GPC, UNDO, token
from tests.people import alice, bob
from tests.scenes import decided, published

pytestmark = pytest.mark.django_db

CHAT = "/chat/"


@pytest.fixture
def owing(client):
    """Alice allowed under the terms of before; new ones ask her, with thirty days' time."""
    decided(alice(), Training.ALLOW)
    client.force_login(alice())
    return published()


def undo_of(page) -> str:
    found = re.search(r'name="undo" value="([^"]+)"', page.content.decode())
    return found[1] if found else ""


def acts() -> list[str]:
    return [event.act for event in Event.objects.of(alice()).order_by("pk")]


class TestShown:
    def test_once_for_each_form_with_what_was_shown(self, client, owing):
        for _ in range(2):
            client.get(CHOICE)
            client.get(CHAT)
        assert acts().count(Act.NOTICE_SHOWN) == 2
        rows = {notice.source: notice for notice in Notice.objects.filter(user=alice())}
        assert set(rows) == {Source.PAGE, Source.DIALOG}
        event = Event.objects.get(key=rows[Source.DIALOG].event)
        assert event.terms == owing.digest and len(event.context["address"]) == 64
        assert event.detail == {
            "order": notices.order_for(alice()),
            "language": "en",
            "text": versions.text_digest(owing, "en"),
        }

    def test_in_the_persons_language_where_there_is_a_variant(self, client, settings):
        settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
        decided(alice(), Training.DENY)
        draft = {"slug": "2", "title": "New terms", "summary": "One thing.", "body": "Text", "deadline": None}
        terms = versions.Terms.objects.create(**draft)
        TermsTranslation.objects.create(
            terms=terms, language="de", title="Neue Bedingungen", summary="Eines ändert sich.", body="Text"
        )
        versions.seal(terms, terms.created_at)
        User.objects.filter(pk=alice().pk).update(locale="de")
        client.force_login(alice())
        assert "Neue Bedingungen" in client.get(CHOICE).content.decode()
        notice = Notice.objects.get(user=alice())
        assert notice.language == "de"
        assert Event.objects.get(key=notice.event).detail["text"] == versions.text_digest(terms, "de")

    def test_the_order_is_the_persons_own_and_stays(self):
        orders = {notices.order_for(User(email=f"{n}@x.example")) for n in range(40)}
        assert orders == set(Order)
        assert len({notices.order_for(alice()) for _ in range(5)}) == 1

    def test_the_dialog_is_in_the_page_and_nothing_in_it_is_ticked(self, client, owing):
        page = client.get(CHAT).content.decode()
        dialog = re.search(r"<dialog.*?</dialog>", page, re.S)[0]
        assert "Not now" in dialog and not re.search(r"<input[^>]*\schecked\b", dialog)
        assert "One thing changes." in dialog and f"/terms/{owing.slug}/" in dialog

    def test_nobody_else_sees_one(self, client):
        decided(alice(), Training.ALLOW)
        client.force_login(alice())
        assert "<dialog" not in client.get(CHAT).content.decode()


class TestGpc:
    def allow(self, client, **more):
        return client.post(CHOICE, {"token": token(client.get(CHOICE)), "training": "allow", **more}, headers=GPC)

    def test_it_is_recorded_once_and_shown(self, client, owing):
        for _ in range(2):
            assert "Global Privacy Control" in client.get(CHOICE, headers=GPC).content.decode()
        assert acts().count(Act.GPC_SEEN) == 1

    def test_an_allow_against_it_is_asked_once_more_and_wins(self, client, owing):
        told = self.allow(client)
        assert "Allow all the same" in told.content.decode() and owing != Standing.objects.get(user=alice()).terms
        assert self.allow(client, despite_gpc="on").status_code == 302
        standing = Standing.objects.get(user=alice())
        assert (standing.terms, standing.training, standing.despite_gpc) == (owing, "allow", True)
        event = Event.objects.get(subject=alice().subject.key, act=Act.TRAINING_ALLOWED, terms=owing.digest)
        assert (event.detail["gpc"], event.detail["despite_gpc"]) == (True, True)

    def test_thinking_better_of_it_is_as_easy(self, client, owing):
        told = self.allow(client)
        client.post(CHOICE, {"token": token(told), "training": "deny", "despite_gpc": "on"}, headers=GPC)
        standing = Standing.objects.get(user=alice())
        assert (standing.training, standing.despite_gpc) == ("deny", False)
        event = Event.objects.of(alice()).get(act=Act.TRAINING_WITHDRAWN)
        assert (event.detail["gpc"], event.detail["despite_gpc"]) == (True, False)

    def test_a_deny_is_never_asked_twice(self, client, owing):
        sent = {"token": token(client.get(CHOICE)), "training": "deny"}
        assert client.post(CHOICE, sent, headers=GPC).status_code == 302

    def test_without_the_signal_the_tick_means_nothing(self, client, owing):
        client.post(CHOICE, {"token": token(client.get(CHOICE)), "training": "allow", "despite_gpc": "on"})
        assert not Standing.objects.get(user=alice()).despite_gpc


class TestToken:
    def test_an_old_answer_sent_again_after_a_newer_one_records_nothing(self, client, owing):
        old = token(client.get(CHOICE))
        client.post(CHOICE, {"token": old, "training": "allow"})
        client.post(CHOICE, {"token": token(client.get(CHOICE)), "training": "deny"})
        before = acts()
        told = client.post(CHOICE, {"token": old, "training": "allow"})
        assert "Nothing was recorded" in told.content.decode() and acts() == before
        assert Standing.objects.get(user=alice()).training == "deny"

    def test_a_double_click_is_no_error_and_records_once(self, client, owing):
        sent = {"token": token(client.get(CHOICE)), "training": "deny"}
        assert [client.post(CHOICE, sent).status_code for _ in range(2)] == [302, 302]
        assert acts().count(Act.TRAINING_WITHDRAWN) == 1

    def test_the_second_tab_is_told_that_there_was_an_answer_elsewhere(self, client, owing):
        tabs = [token(client.get(CHOICE)) for _ in range(2)]
        client.post(CHOICE, {"token": tabs[0], "training": "deny"})
        told = client.post(CHOICE, {"token": tabs[1], "training": "allow"}, headers=FETCH)
        assert "in another tab" in told.content.decode() and Standing.objects.get(user=alice()).training == "deny"

    def test_a_version_published_meanwhile_shows_the_fresh_text(self, client, owing):
        sent = {"token": token(client.get(CHOICE)), "training": "allow"}
        published("3", title="Still newer terms")
        told = client.post(CHOICE, sent)
        assert "Still newer terms" in told.content.decode() and acts()[-1] == Act.NOTICE_SHOWN


class TestConfirmation:
    def choose(self, client, training, page=CHOICE):
        return client.post(
            page, {"token": token(client.get(page)), "training": training, "next": "/privacy/"}, follow=True
        )

    def undo(self, client, page):
        return client.post(UNDO, {"undo": undo_of(page), "next": "/privacy/"}, follow=True)

    def test_undo_goes_back_to_the_answer_before(self, client, owing):
        page = self.choose(client, "deny")
        assert "Undo" in page.content.decode()
        back = self.undo(client, page)
        standing = Standing.objects.get(user=alice())
        assert (standing.training, standing.terms, standing.epoch) == ("allow", owing, 3)
        assert acts()[-2:] == [Act.TRAINING_WITHDRAWN, Act.TRAINING_ALLOWED] and "You chose" in back.content.decode()

    def test_a_first_allow_is_undone_by_dont_allow(self, client):
        client.force_login(alice())
        self.undo(client, self.choose(client, "allow"))
        assert Standing.objects.get(user=alice()).training == "deny"

    def test_undoing_a_first_deny_never_allows(self, client):
        client.force_login(alice())
        page = self.choose(client, "deny")
        assert undo_of(page) == "" and 'href="/privacy/#change"' in page.content.decode()
        assert choices.undoes_to(choices.Before(None, None, False, False), Training.DENY) is None

    def test_undo_works_once(self, client, owing):
        page = self.choose(client, "deny")
        self.undo(client, page)
        before = acts()
        assert "can no longer be undone" in self.undo(client, page).content.decode()
        assert acts() == before

    def test_undo_is_the_persons_own(self, client, owing):
        sent = {"undo": undo_of(self.choose(client, "deny"))}
        decided(bob(), Training.DENY)
        client.force_login(bob())
        client.post(UNDO, sent)
        assert Standing.objects.get(user=bob()).training == "deny"
        assert Standing.objects.get(user=alice()).training == "deny"

    @pytest.mark.parametrize("salt", ["", "privacy.choice"])
    def test_a_forged_undo_does_nothing(self, client, owing, salt):
        undo = signing.dumps({"person": "x"}, salt=salt) if salt else "x"
        before = acts()
        assert client.post(UNDO, {"undo": undo}).status_code == 302
        assert acts() == before

    def test_a_script_gets_the_confirmation_itself(self, client, owing):
        sent = {"token": token(client.get(CHAT)), "training": "allow", "source": "dialog"}
        told = client.post(CHOICE, sent, headers=FETCH)
        assert told.headers["Parley-Choice"] == "recorded" and 'class="toast' in told.content.decode()
        event = Event.objects.filter(act=Act.TRAINING_ALLOWED).latest("pk")
        assert event.source == Source.DIALOG
        assert event.detail["notice"] == str(Notice.objects.get(user=alice(), source="dialog").event)

    def test_a_script_gets_the_question_again_where_the_answer_is_missing(self, client, owing):
        told = client.post(CHOICE, {"token": token(client.get(CHAT)), "source": "dialog"}, headers=FETCH)
        assert told.status_code == 422 and "Please choose one of the two" in told.content.decode()
        assert "<html" not in told.content.decode()


class TestKeptWords:
    def refused(self, client):
        body = {"text": "What <b>was</b> I going to say?", "workspace": alice().personal_workspace.public_id}
        return client.post(reverse("chat:ask"), body, headers={"accept": "text/html"})

    def test_what_the_gate_stopped_comes_back_ready_and_is_sent_by_hand(self, client, owing, move_clock):
        move_clock(days=31)
        client.force_login(alice())
        page = self.refused(client)
        assert page.status_code == 403 and "Not now" not in page.content.decode()
        kept = dict(re.findall(r'name="(kept-[^"]+)" value="([^"]*)"', page.content.decode()))
        assert kept["kept-text"] == "What &lt;b&gt;was&lt;/b&gt; I going to say?"
        kept["kept-text"] = "What <b>was</b> I going to say?"
        ready = client.post(CHOICE, {"token": token(page), "training": "deny", **kept})
        assert f'action="{reverse("chat:ask")}"' in ready.content.decode() and "Send it now" in ready.content.decode()
        assert "What &lt;b&gt;was&lt;/b&gt;" in ready.content.decode()
        assert alice().subject is not None and Act.TRAINING_WITHDRAWN in acts()

    def test_words_go_nowhere_but_to_a_door_of_the_chat(self, client, owing):
        for door in ("https://evil.example/", "/account/logout/", "/privacy/", "//evil.example/"):
            sent = {"token": token(client.get(CHOICE)), "training": "deny", "kept-text": "x", "kept-door": door}
            assert client.post(CHOICE, sent).status_code == 302


def test_minors_are_told_and_not_asked(client):
    person = bob(date_of_birth=None)
    client.force_login(person)
    page = client.get(CHOICE).content.decode()
    assert "asked of adults only" in page and 'name="training"' not in page
    sent = {"token": token_for(person, standings.owed_terms(person))}
    assert client.post(CHOICE, sent).status_code == 302
    assert Standing.objects.get(user=person).training is None
