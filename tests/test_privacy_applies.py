"""What applies, since when and because of which answer; and how the browser's own wish stands to it."""

import re
from datetime import timedelta

import pytest

from accounts import clock
from accounts.changes import age_changed
from accounts.models import User
from privacy import choices, notices, standings, versions
from privacy.evidence.receipt import CHOICES
from privacy.models import Event
from privacy.vocabulary import Source, Training
from tests.people import alice, bob
from tests.privacy_page import GPC, PAGE, beside, moment, said_at, section, text, token
from tests.scenes import answered, decided, published

pytestmark = pytest.mark.django_db
ALLOW, DENY = Training.ALLOW, Training.DENY
MONTH = timedelta(days=30)


@pytest.fixture
def client(client):
    client.force_login(alice())
    return client


class TestWhatApplies:
    def now(self, client, **more) -> str:
        return section(client.get(PAGE, **more), "applies")

    def test_to_somebody_who_never_answered(self, client):
        said = self.now(client)
        assert "Your personal chats train no models. You have not answered yet" in said
        assert "No answer" in said and "None accepted yet" in said and "Receipt" not in said

    @pytest.mark.parametrize(
        ("training", "lead", "fact"),
        [(ALLOW, "may be used to train", "Allowed since"), (DENY, "are not used to train", "Not allowed since")],
    )
    def test_to_somebody_who_answered_with_its_reason_and_receipt(self, client, training, lead, fact):
        decided(alice(), training)
        page = client.get(PAGE)
        said, act = section(page, "applies"), "training_allowed" if training is ALLOW else "training_denied"
        assert lead in said and f"{fact} {said_at(act)}" in said
        assert f"You chose “{training.words}” on {said_at(act)}, on the page of the question." in said
        event = Event.objects.get(act=act)
        assert f"/privacy/receipts/{event.key}/" in page.content.decode() and act in CHOICES
        assert client.get(f"/privacy/receipts/{event.key}/").status_code == 200

    def test_since_when_is_that_of_the_answer_and_not_of_the_history(self, client, move_clock):
        decided(alice(), ALLOW)
        since = said_at("training_allowed")
        move_clock(days=3)
        decided(alice(), ALLOW, keep_history=True)
        client.force_login(alice())
        said = self.now(client)
        assert f"Allowed since {since}" in said and f"You chose this on {said_at('history_kept')}" in said
        assert said_at("history_kept") != since and "Your history is kept until you delete from it" in said

    def test_an_answer_said_again_to_newer_terms_breaks_nothing(self, client, move_clock):
        decided(alice(), ALLOW)
        since = said_at("training_allowed")
        published()
        move_clock(days=3)
        decided(alice(), ALLOW)
        client.force_login(alice())
        said = self.now(client)
        assert f"Allowed since {since}" in said and f"You chose “Allow” on {said_at('training_allowed')}" in said
        assert said_at("training_allowed") != since

    def test_off_and_on_again_counts_from_the_second_time(self, client, move_clock):
        decided(alice(), ALLOW)
        move_clock(days=1)
        decided(alice(), DENY)
        move_clock(days=2)
        decided(alice(), ALLOW)
        client.force_login(alice())
        assert f"Allowed since {said_at('training_allowed')}" in self.now(client)

    @pytest.mark.parametrize("training", [ALLOW, DENY])
    def test_while_newer_terms_wait_the_earlier_answer_stands_until_their_day(self, client, training):
        decided(alice(), training)
        terms = published(title="Terms of winter")
        said = self.now(client)
        assert f"Terms of winter , wait for your answer until {moment(terms.deadline)}" in said
        assert "Until then your earlier answer stands." in said
        assert ("your permission rests, your personal chats train nothing" in said) == (training is ALLOW)
        assert ("may be used to train" in said) == (training is ALLOW)

    @pytest.mark.parametrize("training", [ALLOW, DENY])
    def test_after_their_day_a_permission_rests(self, client, training, move_clock):
        decided(alice(), training)
        answered(alice())
        terms = published()
        move_clock(days=31)
        client.force_login(alice())
        page = client.get(PAGE)
        said = section(page, "applies")
        assert f"was over on {moment(terms.deadline)}" in said and "You can ask nothing" in said
        assert ("your permission rests: your personal chats train nothing" in said) == (training is ALLOW)
        assert ("resting since" in said) == (training is ALLOW) and "may be used to train" not in said
        if training is ALLOW:
            assert "While your permission rests, none trains models." in section(page, "chats")
            assert "1 chat may be used for training again." in beside(page, "allow")
            assert "1 chat would no longer be used for training." in beside(page, "deny")

    def test_to_people_whose_age_is_unknown_or_who_are_not_of_age(self, client):
        for born, why in ((None, "your age is not known here"), (clock.now().date() - MONTH * 200, "of adults only.")):
            User.objects.filter(pk=alice().pk).update(date_of_birth=born)
            page = client.get(PAGE)
            assert why in section(page, "applies") and 'name="training"' not in page.content.decode()
            assert "until you have accepted the terms" in section(page, "applies")
            assert "Keep my history" in section(page, "change") and "Either answer" not in section(page, "change")

    def test_to_somebody_whose_permission_ended_for_their_age(self, client):
        decided(alice(), ALLOW)
        User.objects.filter(pk=alice().pk).update(date_of_birth=None)
        age_changed(User.objects.get(pk=alice().pk))
        assert f"Your permission was ended on {said_at('training_ended')}" in self.now(client)

    def test_to_somebody_who_grew_up_and_was_not_asked_yet(self, client):
        User.objects.filter(pk=alice().pk).update(date_of_birth=None)
        decided(User.objects.get(pk=alice().pk), None)
        User.objects.filter(pk=alice().pk).update(date_of_birth=clock.now().date() - MONTH * 300)
        page = client.get(PAGE)
        assert "You have not answered the question yet" in section(page, "applies")
        assert not re.search(r'name="training"[^>]*\schecked', page.content.decode())

    def test_it_is_nobody_elses(self, client):
        decided(bob(), ALLOW, keep_history=True)
        answered(bob(), "Bob's own question")
        page = text(client.get(PAGE))
        assert "You have not answered yet" in page and "You have no chats." in page and "Nothing yet." not in page
        assert "Allowed" not in page and "Bob" not in page

    def test_strangers_see_none_of_it(self, client):
        client.logout()
        for address in (PAGE, "/privacy/chats/", "/privacy/history/"):
            assert client.get(address).status_code == 302


class TestGlobalPrivacyControl:
    def browser(self, client, **headers) -> str:
        said = section(client.get(PAGE, headers=headers.get("headers")), "applies")
        return said[said.index("Your browser") :]

    def test_a_browser_that_asks_nothing(self, client):
        decided(alice(), ALLOW)
        said = self.browser(client)
        assert "It does not ask sites not to share" in said and "that would be recorded" in said

    def test_one_that_asks_agrees_with_a_deny(self, client):
        decided(alice(), DENY)
        said = self.browser(client, headers=GPC)
        assert "It asks sites not to share your data" in said and "agrees with your answer" in said

    def test_an_allow_of_another_browser_holds_and_is_said(self, client):
        decided(alice(), ALLOW)
        assert "You chose “Allow” in a browser that did not ask this" in self.browser(client, headers=GPC)

    def test_an_allow_confirmed_against_it_is_shown_as_such_in_any_browser(self, client):
        sent = {"training": "allow", "despite_gpc": "on"}
        client.post(PAGE, {"token": token(client.get(PAGE, headers=GPC)), **sent}, headers=GPC)
        confirmed = f"You confirmed “Allow” on {said_at('training_allowed')} although your browser asked the opposite"
        assert confirmed in self.browser(client, headers=GPC) and confirmed in self.browser(client)
        assert "This was confirmed although the browser asked" in section(client.get(PAGE), "history")

    def test_it_is_no_longer_said_once_the_allow_is_gone(self, client):
        sent = {"training": "allow", "despite_gpc": "on"}
        client.post(PAGE, {"token": token(client.get(PAGE, headers=GPC)), **sent}, headers=GPC)
        client.post(PAGE, {"token": token(client.get(PAGE, headers=GPC)), "training": "deny"}, headers=GPC)
        said = self.browser(client)
        assert "You confirmed" not in said and "A browser of yours did on" in said


def test_choices_made_elsewhere_are_named_by_their_door(client):
    terms = standings.owed_terms(alice())
    assert terms
    given = choices.Circumstances(notices.shown(alice(), terms, notices.form_for(alice(), terms, Source.DIALOG)[0]))
    choices.choose(user=alice(), terms=terms, training=DENY, keep_history=False, source=Source.DIALOG, given=given)
    assert ", in the dialog over your conversations." in section(client.get(PAGE), "applies")
    assert versions.variant(terms, "en").title in section(client.get(PAGE), "history")
