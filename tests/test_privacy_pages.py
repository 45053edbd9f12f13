"""The pages of consent, as people meet them: what they preselect, what silence does, which answers they take."""

import re
from datetime import timedelta

import pytest
from django.core import signing
from django.db.models import QuerySet

from accounts.models import User
from privacy import choices, standings
from privacy.forms import SALT, token_for
from privacy.models import Event, Standing, Terms
from privacy.vocabulary import Act, Training
from tests.people import alice, bob
from tests.scenes import decided, published

pytestmark = pytest.mark.django_db

CHOICE, SETTINGS = "/privacy/choice/", "/privacy/"
BOTH = pytest.mark.parametrize("page", [CHOICE, SETTINGS])
STAYS = "You keep your history; this stays so."


@pytest.fixture
def client(client):
    client.force_login(alice())
    return client


def fresh() -> str:
    """The token of a page that was opened just now."""
    terms = standings.owed_terms(alice())
    assert terms
    return token_for(alice(), terms, Standing.objects.filter(user=alice()).first())


def recorded() -> QuerySet[Event]:
    """What was recorded of answers; that a page was shown is recorded as well."""
    return Event.objects.exclude(act=Act.NOTICE_SHOWN)


def answer(client, page, *, token=None, **fields):
    token = fresh() if token is None else token
    return client.post(page, {"token": token, **fields})


def preselected(client, page):
    """The ids of what is ticked when the page comes."""
    inputs = re.findall(r"<input[^>]*>", client.get(page).content.decode())
    return {re.search(r'id="([^"]*)"', tag)[1] for tag in inputs if re.search(r"\schecked\b", tag)}


class TestNothingIsPreselected:
    @BOTH
    def test_for_a_new_person(self, client, page):
        assert preselected(client, page) == set()

    def test_where_new_terms_are_owed(self, client):
        """Beside "Saving accepts" the old answer would be consent by silence; the history is a fact, and stays."""
        decided(alice(), Training.ALLOW, keep_history=True)
        assert preselected(client, SETTINGS) == {"answer-allow", "keep-history"}
        published()
        assert "Saving accepts" in client.get(SETTINGS).content.decode()
        assert preselected(client, SETTINGS) == {"keep-history"}
        assert preselected(client, CHOICE) == set()

    @BOTH
    def test_and_saving_without_an_answer_records_nothing(self, client, page):
        decided(alice(), Training.ALLOW)
        published()
        before = recorded().count()
        refused = answer(client, page)
        assert refused.status_code == 422 and "Please choose one of the two" in refused.content.decode()
        assert recorded().count() == before

    def test_what_was_chosen_in_a_refused_form_is_kept(self, client):
        refused = answer(client, SETTINGS, keep_history="on")
        assert re.search(r'id="keep-history"[^>]*\schecked', refused.content.decode())


class TestHistory:
    def test_silence_on_the_choice_page_does_not_end_it(self, client):
        decided(alice(), Training.DENY, keep_history=True)
        published()
        shown = client.get(CHOICE).content.decode()
        assert STAYS in shown and 'name="keep_history"' not in shown
        assert answer(client, CHOICE, training="deny").status_code == 302
        assert Standing.objects.get(user=alice()).keep_history
        assert not Event.objects.filter(act=Act.HISTORY_NOT_KEPT).exists()

    def test_it_is_offered_there_to_those_who_do_not_keep_it(self, client):
        shown = client.get(CHOICE).content.decode()
        assert STAYS not in shown and 'name="keep_history"' in shown
        answer(client, CHOICE, training="deny")
        assert not Standing.objects.get(user=alice()).keep_history
        answer(client, CHOICE, training="deny", keep_history="on")
        assert Standing.objects.get(user=alice()).keep_history

    def test_the_settings_page_shows_it_and_may_end_it(self, client):
        decided(alice(), Training.DENY, keep_history=True)
        assert STAYS not in client.get(SETTINGS).content.decode()
        assert answer(client, SETTINGS, training="deny", keep_history="on").status_code == 302
        assert Standing.objects.get(user=alice()).keep_history
        assert answer(client, SETTINGS, training="deny").status_code == 302
        assert not Standing.objects.get(user=alice()).keep_history


def stale():
    token = token_for(alice(), standings.owed_terms(alice()))
    published()
    return token


def foreign():
    return token_for(bob(), standings.owed_terms(bob()))


def tampered():
    return token_for(alice(), standings.owed_terms(alice())) + "x"


def of_another_purpose():
    shown = {
        "person": str(alice().public_id),
        "terms": standings.owed_terms(alice()).digest,
        "state": Standing().state,
        "notice": "",
    }
    return signing.dumps(shown, salt=f"{SALT}.other")


def missing():
    return ""


class TestToken:
    @BOTH
    @pytest.mark.parametrize("made", [stale, foreign, tampered, of_another_purpose, missing])
    def test_an_answer_to_anything_else_records_nothing_and_is_explained(self, client, page, made):
        token = made()
        told = answer(client, page, token=token, training="allow", keep_history="on")
        assert told.status_code == 200 and "Nothing was recorded" in told.content.decode()
        assert not re.search(r"<input[^>]*\schecked\b", told.content.decode())
        assert not recorded().exists() and not Standing.objects.exists()
        assert f"/terms/{standings.owed_terms(alice()).slug}/" in told.content.decode()

    @BOTH
    def test_after_a_day_it_is_too_old(self, client, page, monkeypatch):
        token = token_for(alice(), standings.owed_terms(alice()))
        monkeypatch.setattr("privacy.forms.VALID_SECONDS", -1)
        assert "Nothing was recorded" in answer(client, page, token=token, training="allow").content.decode()
        assert not recorded().exists()

    @BOTH
    def test_the_one_that_came_with_the_page_is_taken(self, client, page):
        token = re.search(r'name="token" value="([^"]+)"', client.get(page).content.decode())[1]
        assert answer(client, page, token=token, training="allow").status_code == 302
        assert standings.standing_of(alice()).training is Training.ALLOW


@BOTH
def test_an_age_that_is_corrected_while_somebody_answers_is_told_and_not_an_error(client, page, monkeypatch):
    """The form was judged by the age as the request began, the answer by the one that stands behind the lock."""
    choose = choices.choose

    def later(**answer):
        User.objects.filter(pk=alice().pk).update(date_of_birth=None)
        return choose(**answer)

    monkeypatch.setattr(choices, "choose", later)
    told = answer(client, page, training="allow")
    assert told.status_code == 200 and "Nothing was recorded" in told.content.decode()
    assert 'name="training"' not in told.content.decode()
    assert not recorded().exists()


@BOTH
def test_without_terms_there_is_nothing_to_answer(client, page, monkeypatch):
    monkeypatch.setattr(standings, "owed_terms", lambda _: None)
    assert client.get(page).status_code == 503
    assert answer(client, page, token="x", training="allow").status_code == 503
    assert not recorded().exists()


def test_the_choice_page_names_the_day_that_counts(client):
    """With two versions left unanswered, that is the earlier one's."""
    decided(alice(), Training.DENY)
    second = published("2", timedelta(days=3))
    published("3", timedelta(days=30))
    shown = client.get(CHOICE)
    assert shown.context["gate"].deadline == second.deadline and "Please answer by" in shown.content.decode()
    assert Terms.objects.get(slug="3") == shown.context["terms"]
