"""`Parley-Choice-By`: until when there is time to answer. On every page of somebody who owes one, and on no other."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts import clock
from accounts.middleware import SESSION_KEY
from privacy.middleware import CHOICE_BY
from privacy.models import DeadlineMove, Terms
from privacy.vocabulary import Training
from tests.choosing import CHOICE, DEFER, SETTINGS, token
from tests.people import alice, bob, charlie, will, works
from tests.scenes import answered, asked_in, decided, published

pytestmark = pytest.mark.django_db

JSON = {"accept": "application/json"}


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def terms() -> Terms:
    """Alice and Will answered the terms of before, Bob the new ones too."""
    for person in (alice(), will(), bob()):
        decided(person, Training.DENY)
    new = published()
    decided(bob(), Training.DENY)
    return new


@pytest.fixture
def client(terms) -> Client:
    return signed_in(alice())


def said(page) -> Any:
    return page.headers.get(CHOICE_BY)


class TestSaid:
    def test_on_every_page_of_chat_and_privacy_whatever_comes_of_it(self, client, terms):
        turn = answered(alice())
        for page in (
            client.get("/chat/"),
            client.head("/chat/"),
            client.get(turn.conversation.get_absolute_url()),
            client.get(f"/chat/{uuid4()}/"),
            client.get(CHOICE),
            client.get(SETTINGS),
            client.get("/terms/"),
            client.get("/terms/current.json"),
            client.post("/chat/ask", {"text": "Hello"}, headers=JSON),
            client.post("/chat/ask", {"text": ""}, headers=JSON),
            client.put("/chat/ask", headers=JSON),
            client.post(CHOICE, {"token": "x", "training": "allow"}),
            client.post(DEFER, {"token": token(client.get(CHOICE))}),
        ):
            assert said(page) == terms.deadline.isoformat(), (page.request["PATH_INFO"], page.status_code)
            assert "no-store" in page["Cache-Control"] and "private" in page["Cache-Control"]

    def test_a_moved_one_at_once(self, client, terms):
        later = terms.deadline + timedelta(days=3)
        DeadlineMove.objects.create(terms=terms, deadline=later, reason="Mail was down.")
        assert said(client.get("/chat/")) == later.isoformat()

    def test_the_earliest_of_several(self, client):
        nearer = published("3", timedelta(days=3))
        assert said(client.get("/chat/")) == nearer.deadline.isoformat()


class TestNotSaid:
    def test_to_whoever_owes_nothing(self, terms):
        assert said(signed_in(bob()).get("/chat/")) is None
        assert said(Client().get("/terms/")) is None and said(Client().get("/")) is None

    def test_with_the_answer_itself(self, client):
        answer = client.post(CHOICE, {"token": token(client.get(CHOICE)), "training": "deny"})
        assert answer.status_code == 302 and said(answer) is None
        assert said(client.get("/chat/")) is None

    def test_from_the_deadline_on(self, terms, move_clock):
        move_clock(days=30, seconds=5)
        client = signed_in(alice())
        assert (
            said(client.get("/chat/")) is None and said(client.post("/chat/ask", {"text": "x"}, headers=JSON)) is None
        )

    def test_to_new_people_who_have_no_deadline(self, terms):
        assert said(signed_in(charlie()).get(CHOICE)) is None

    @pytest.mark.parametrize(
        "address", ["/terms/2.json", "/.well-known/parley/keys.json", "/.well-known/parley/heads.json"]
    )
    def test_where_caches_share_what_they_keep(self, client, address):
        for reader in (client, Client()):
            page = reader.get(address)
            assert page.status_code == 200 and said(page) is None
        assert "public" in page["Cache-Control"]

    @pytest.mark.parametrize("address", ["/account/profile/", "/healthz", "/nowhere", "/static/nowhere.css"])
    def test_elsewhere(self, client, address):
        assert said(client.get(address)) is None

    def test_at_work_where_consumer_terms_are_no_matter(self, terms):
        client, work = signed_in(will()), asked_in(will(), works()).conversation
        assert said(client.get("/chat/")) == terms.deadline.isoformat()
        assert said(client.get(work.get_absolute_url())) is None
        session = client.session
        session[SESSION_KEY] = str(works().public_id)
        session.save()
        assert said(client.get("/chat/")) is None and said(client.get("/terms/")) is None
        assert said(client.post("/chat/ask", {"text": "Hello"}, headers=JSON)) is None
        own = answered(will()).conversation
        assert said(client.get(own.get_absolute_url())) == terms.deadline.isoformat()


def test_it_is_a_moment_with_its_zone(client, terms):
    assert said(client.get("/chat/")).endswith("+00:00") and terms.deadline > clock.now()
