"""Hostile answers: whatever is sent to the choice's doors, nothing is recorded that was not said, a sentence says what
to do, and nothing is lost of what was written. The words themselves and where they may go: test_hostile_words.py.
"""

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client

from config.bodies import MOST_BYTES
from privacy import forms
from privacy.models import Standing
from privacy.views.question import UNDO_SALT
from privacy.vocabulary import Act, Training
from tests.choosing import CHOICE, DEFER, FETCH, GPC, SETTINGS, UNDO, WORDS, aged, answers, hidden, says, state, token
from tests.people import alice, bob
from tests.scenes import decided, published

pytestmark = pytest.mark.django_db

KEPT = {"kept-text": WORDS, "kept-door": "/chat/ask"}
STRANGE = [
    *("", "ALLOW", "allow ", "allow\0", "9" * 400, '{"training": "allow"}', "allow,deny", "x" * 100_000),
    *("\u202ewolla", "al\u200blow", "<script>alert(1)</script>"),
]


def some(values: list, door: str) -> list:
    """All at the question's own page; every third at the others, which judge by the same form and take their time."""
    return values if door == CHOICE else values[::3]


@pytest.fixture
def client(client: Client) -> Client:
    """Alice's, who allowed under the terms of before; new ones ask her, with thirty days' time."""
    decided(alice(), Training.ALLOW)
    decided(bob(), Training.ALLOW)
    published()
    client.force_login(alice())
    return client


def refused(page, *, before, words: bool = True) -> None:
    """Nothing was recorded, the page says so or what to do, and has the words."""
    assert page.status_code < 500 and state(alice()) == before
    assert says(page), page.status_code
    assert "Traceback" not in page.content.decode()
    assert not words or hidden(page, "kept-text") == WORDS


# --- Fields ------------------------------------------------------------------------


@pytest.mark.parametrize("door", [CHOICE, SETTINGS])
def test_an_answer_that_is_none_records_nothing(client, door):
    fresh, before = token(client.get(door)), state(alice())
    for value in some(STRANGE, door):
        page = client.post(door, {"token": fresh, "training": value, **KEPT})
        assert page.status_code == 422, value[:40]
        refused(page, before=before, words=door == CHOICE)
        assert says(page) == "Please choose one of the two: there is no answer until you give one."


@pytest.mark.parametrize("door", [CHOICE, SETTINGS])
@pytest.mark.parametrize("both", [["allow", "deny"], ["deny", "", "allow"]])
def test_two_answers_at_once_are_none(client, door, both):
    fresh, before = token(client.get(door)), state(alice())
    page = client.post(door, {"token": fresh, "training": both, **KEPT})
    assert page.status_code == 422
    refused(page, before=before, words=door == CHOICE)


@pytest.mark.parametrize("door", [CHOICE, SETTINGS])
def test_a_token_that_is_none_records_nothing(client, door):
    fresh, before = token(client.get(door)), state(alice())
    for value in some(["", "\0", "é" * 1000, fresh[:-1], fresh + "=", fresh.swapcase(), fresh[:40], "a:b:c"], door):
        page = client.post(door, {"token": value, "training": "deny", **KEPT})
        refused(page, before=before, words=door == CHOICE)
        assert "Nothing was recorded" in says(page)


@pytest.mark.parametrize("door", [CHOICE, SETTINGS])
def test_only_its_own_word_ticks_a_box(client, door):
    for value in some(["off", "false", "true", "1", "ON", "on\0"], door):
        client.post(door, {"token": token(client.get(door)), "training": "deny", "keep_history": value})
        assert not Standing.objects.get(user=alice()).keep_history, value[:40]
    assert answers(alice())[-1] == Act.TRAINING_WITHDRAWN
    client.post(door, {"token": token(client.get(door)), "training": "deny", "keep_history": "on"})
    assert Standing.objects.get(user=alice()).keep_history


def test_only_its_own_word_confirms_an_allow_against_the_browsers_wish(client):
    fresh, before = token(client.get(CHOICE)), state(alice())
    for value in ("", "off", "false", "true", "1", "ON"):
        sent = {"token": fresh, "training": "allow", "despite_gpc": value, **KEPT}
        page = client.post(CHOICE, sent, headers=GPC)
        assert "Allow all the same" in page.content.decode() and state(alice()) == before, value[:40]
        assert hidden(page, "kept-text") == WORDS
    assert client.post(CHOICE, {**sent, "despite_gpc": "on"}, headers=GPC).status_code == 200
    assert Standing.objects.get(user=alice()).despite_gpc


def test_where_it_says_it_comes_from_is_believed_of_the_dialog_alone(client):
    fresh = token(client.get(CHOICE))
    for value in ("admin", "api", "Dialog", "dialog\0", "x" * 100_000):
        page = client.post(CHOICE, {"token": fresh, "training": "", "source": value}, headers=FETCH)
        assert page.status_code == 422 and hidden(page, "source") == "page", value[:40]


# --- Bodies ------------------------------------------------------------------------


def bodies(fresh: str) -> list[tuple[str, bytes]]:
    form, pair = "application/x-www-form-urlencoded", {"token": fresh, "training": "allow"}
    valid = f"token={fresh}&training=".encode()
    return [
        ("application/json", json.dumps(pair).encode()),
        ("application/json", b'{"training": {"training": ["allow", {"deny": null}]}}'),
        ("text/plain", valid + b"allow"),
        ("text/xml", b"<training>allow</training>"),
        ("", valid + b"allow"),
        (form, b""),
        (form, b"\xff\xfe\x00"),
        (form, valid + b"%ff%fe"),
        (form, valid + b"\xff"),
        (form, valid + b"%ED%A0%80"),  # half a pair of surrogates
        (form, valid + b"%00allow"),
        (form, b"training[]=allow&training.0=allow&token[$ne]=x"),
        (form, b"&".join(b"f%d=1" % number for number in range(2_000))),
        (form, b"training=" + b"x" * (MOST_BYTES - 100)),
        (form, b"training=" + b"x" * MOST_BYTES),
        ("multipart/form-data", b"--x\r\nnonsense"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=training\r\n\r\nallow"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="\xff\x00"\r\n\r\n\xff\r\n--x--',
        ),
    ]


@pytest.mark.parametrize("door", [CHOICE, SETTINGS])
def test_a_body_that_is_no_form_records_nothing(client, door):
    fresh, before = token(client.get(door)), state(alice())
    for kind, body in some(bodies(fresh), door):
        refused(client.generic("POST", door, body, kind), before=before, words=False)


@pytest.mark.parametrize("door", [DEFER, UNDO])
def test_nor_does_it_put_off_or_take_back(client, door):
    fresh, before = token(client.get(CHOICE)), state(alice())
    for kind, body in some(bodies("" if door == DEFER else fresh), door):
        page = client.generic("POST", door, body, kind)
        assert page.status_code in (302, 400) and state(alice()) == before


def test_what_is_within_bounds_reaches_its_page():
    """Else what was written would be lost, rather than come back with what to do."""
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == MOST_BYTES


def test_a_field_in_the_place_of_a_file_and_the_other_way_round(client, tmp_path):
    fresh, before = token(client.get(CHOICE)), state(alice())
    (file := tmp_path / "allow").write_text("allow")
    with file.open("rb") as opened:
        refused(client.post(CHOICE, {"token": fresh, "training": opened, **KEPT}), before=before)


# --- Tokens --------------------------------------------------------------------------


def of_bob(client) -> str:
    """Who stands just as Alice does, so that nothing but his name tells the two apart."""
    bobs = Client()
    bobs.force_login(bob())
    return token(bobs.get(CHOICE))


def of_before(client) -> str:
    fresh = token(client.get(CHOICE))
    published("3")
    return fresh


def of_yesterday(client) -> str:
    return aged(token(client.get(CHOICE)), salt=forms.SALT, seconds=forms.VALID_SECONDS + 5)


def answered_since(client) -> str:
    fresh = token(client.get(CHOICE))
    decided(alice(), Training.DENY, keep_history=True)
    return fresh


FOREIGN = pytest.mark.parametrize("made", [of_bob, of_before, of_yesterday, answered_since])


@FOREIGN
@pytest.mark.parametrize("door", [CHOICE, SETTINGS])
def test_a_token_of_anything_else_records_nothing_and_keeps_the_words(client, door, made):
    sent = {"token": made(client), "training": "allow", **KEPT}
    before, bobs = state(alice()), state(bob())
    page = client.post(door, sent)
    refused(page, before=before, words=door == CHOICE)
    assert "Nothing was recorded" in says(page)
    assert state(bob()) == bobs


@FOREIGN
def test_nor_does_it_put_off(client, made):
    sent = {"token": made(client), **KEPT}
    before = state(alice())
    refused(client.post(DEFER, sent), before=before)
    assert client.post(DEFER, {"token": sent["token"]})["location"] == CHOICE


def test_one_of_almost_a_day_ago_is_taken(client):
    sent = aged(token(client.get(CHOICE)), salt=forms.SALT, seconds=forms.VALID_SECONDS - 60)
    assert client.post(CHOICE, {"token": sent, "training": "deny"}).status_code == 302


# --- Taking back ------------------------------------------------------------------------


@pytest.fixture
def undo(client) -> str:
    """What takes back the Don't allow that Alice has just given."""
    page = client.post(
        CHOICE, {"token": token(client.get(CHOICE)), "training": "deny", "next": "/privacy/"}, follow=True
    )
    return hidden(page, "undo")


def not_taken_back(client, sent: str) -> None:
    before = state(alice())
    page = client.post(UNDO, {"undo": sent}, follow=True)
    assert page.redirect_chain == [(SETTINGS, 302)] and state(alice()) == before
    assert "can no longer be undone" in page.content.decode()


def test_what_is_no_token_takes_nothing_back(client, undo):
    for value in ("", "\0", "a:b:c", undo[:-1], token(client.get(CHOICE))):
        not_taken_back(client, value)


def test_nor_one_of_more_than_an_hour_ago(client, undo):
    not_taken_back(client, aged(undo, salt=UNDO_SALT, seconds=int(timedelta(hours=1).total_seconds()) + 5))


def test_nor_one_that_another_answer_overtook(client, undo):
    decided(alice(), Training.ALLOW)
    not_taken_back(client, undo)


def test_taking_back_does_not_accept_terms_that_came_since(client, undo):
    """They were never shown: an undone answer is none to them."""
    published("3")
    not_taken_back(client, undo)
    assert Standing.objects.get(user=alice()).terms.slug == "2"


def test_the_right_one_takes_back(client, undo):
    assert client.post(UNDO, {"undo": undo}).status_code == 302
    assert Standing.objects.get(user=alice()).training == Training.ALLOW
