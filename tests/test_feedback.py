"""Thumbs: stored at once without any permission; an answer about the exchange is a choice of its own, with evidence."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import clock
from accounts.errors import NotFound
from accounts.models import User
from chat.errors import NotPossible, TooLong
from chat.feedback import acts
from chat.models import Conversation, Feedback, Message
from chat.models.feedback import COMMENT_LENGTH, Thumb
from chat.turns import acts as turns
from chat.turns import conversations
from privacy import erasure, flagging, holds, leaving, sweep
from privacy.models import Event, Tombstone
from privacy.vocabulary import Act, Training
from tests.exporting import exported
from tests.leaving import found
from tests.people import alice, bob, stella, will, works
from tests.privacy_page import FETCH, text
from tests.scenes import answered, asked, asked_in, decided, published
from tests.thumbs import GIVEN, answer_of, rated, taken_back, withdrawn

pytestmark = pytest.mark.django_db
EXCHANGE = (Act.EXCHANGE_ALLOWED, Act.EXCHANGE_DENIED, Act.EXCHANGE_WITHDRAWN, Act.EXCHANGE_TAKEN_BACK)
JSON = {"accept": "application/json"}


@pytest.fixture
def held() -> Conversation:
    """A chat of Alice's, who did not allow training."""
    decided(alice(), Training.DENY)
    return answered(alice()).conversation


@pytest.fixture
def at_her_page(client: Client, held: Conversation) -> Client:
    client.force_login(alice())
    return client


def url(held: Conversation, act: str = "feedback") -> str:
    return reverse(f"chat:{act}", args=[answer_of(held).public_id])


def evidence() -> list[tuple[Any, ...]]:
    return list(Event.objects.filter(act__in=EXCHANGE).order_by("pk").values_list("act", "source"))


# --- The thumb -------------------------------------------------------------------------


def test_a_thumb_is_stored_at_once_and_permits_nothing(held, at_her_page):
    before = Conversation.objects.values().get(pk=held.pk)
    assert at_her_page.post(url(held), {"thumb": "up"}).status_code == 302
    given = Feedback.objects.get()
    assert (given.thumb, given.comment, given.may_train, given.decided_at) == ("up", "", None, None)
    assert evidence() == [] and Conversation.objects.values().get(pk=held.pk) == before


def test_pressed_twice_it_is_one_and_the_other_takes_its_place(held, at_her_page):
    for thumb in ("up", "up", "down"):
        at_her_page.post(url(held), {"thumb": thumb})
    assert Feedback.objects.get().thumb == "down"
    page = at_her_page.get(held.get_absolute_url()).content.decode()
    assert page.count('aria-pressed="true"') == 1


def test_the_other_thumb_leaves_what_was_said_beside_the_first(held):
    rated(alice(), held, True, "Right.")
    given = rated(alice(), held, thumb=Thumb.DOWN)
    assert (given.thumb, given.comment, given.may_train) == ("down", "Right.", True)


@pytest.mark.parametrize("state", ["waiting", "streaming", "stopped", "interrupted", "failed"])
def test_only_a_complete_answer_has_any(held, at_her_page, state):
    Message.objects.filter(pk=answer_of(held).pk).update(state=state)
    for act in ("feedback", "feedback_take_back"):
        answer = at_her_page.post(url(held, act), {"thumb": "up"}, headers=JSON)
        assert answer.status_code == 409, act
    assert not Feedback.objects.exists()


def test_a_question_has_none(held, at_her_page):
    question = held.messages.get(role="user")
    address = reverse("chat:feedback", args=[question.public_id])
    assert at_her_page.post(address, {"thumb": "up"}).status_code == 404 and not Feedback.objects.exists()


@pytest.mark.parametrize("thumb", ["", "sideways", "UP", "up\x00"])
def test_what_is_no_thumb_is_refused(held, at_her_page, thumb):
    assert at_her_page.post(url(held), {"thumb": thumb}, headers=JSON).status_code == 400
    assert not Feedback.objects.exists()


# --- The answer -------------------------------------------------------------------------


def test_the_form_asks_with_two_equal_answers_and_none_preselected(held, at_her_page):
    at_her_page.post(url(held), {"thumb": "up"})
    for headers in ({}, FETCH):
        page = at_her_page.get(url(held), headers=headers)
        html = page.content.decode()
        assert html.count('type="radio"') == 2 and "checked" not in html
        said = text(page)
        assert "May this one exchange (your question and this answer) be used to train models?" in said
        assert "nothing else of this chat" in said and "It is kept no longer for that" in said
        assert said.count("general choice") >= 3


def test_yes_no_and_yes_again_are_each_in_the_ledger_without_a_word_of_it(held, at_her_page):
    at_her_page.post(url(held), {"thumb": "up"})
    standing = Event.objects.count()
    for stands, said in (("", "yes"), ("yes", "no"), ("no", "no"), ("no", "yes")):
        sent = {"comment": "A canary", "may_train": said, "stands": stands}
        assert at_her_page.post(url(held, "feedback_answer"), sent).status_code == 302
    assert [act for act, _ in evidence()] == ["exchange_allowed", "exchange_withdrawn", "exchange_allowed"]
    assert {source for _, source in evidence()} == {"chat"} and Event.objects.count() == standing + 3
    event = Event.objects.filter(act=Act.EXCHANGE_ALLOWED).latest("pk")
    given = Feedback.objects.get()
    assert event.detail == {"feedback": str(given.key)} and event.context and event.subject == event.actor
    assert event.terms == alice().standing.terms.digest
    assert "canary" not in json.dumps(list(Event.objects.values("detail", "context")), default=str)
    assert alice().standing.training == Training.DENY, "the general choice stays as it is"


def test_the_first_no_is_a_refusal_and_taking_back_has_its_own_event(held):
    taken_back(rated(alice(), held, False))
    assert [act for act, _ in evidence()] == ["exchange_denied", "exchange_taken_back"]
    assert Event.objects.latest("pk").detail["was"] is False and not Feedback.objects.exists()
    taken_back(rated(alice(), held))
    assert len(evidence()) == 2, "a thumb alone decided nothing"


def test_withdrawn_on_the_list_it_says_so_and_twice_is_once(held, at_her_page):
    rated(alice(), held, True, "Right.")
    listed = reverse("chat:feedback_list")
    assert "This exchange may train models. You allowed it on" in text(at_her_page.get(listed))
    for _ in range(2):
        answer = at_her_page.post(url(held, "feedback_withdraw"), {"next": listed}, follow=True)
        assert "This exchange trains no models. You said no on" in text(answer)
    assert evidence()[1:] == [("exchange_withdrawn", "settings")]
    given = Feedback.objects.get()
    assert (given.may_train, given.comment) == (False, "Right.")


def test_a_comment_alone_answers_nothing(held, at_her_page):
    at_her_page.post(url(held), {"thumb": "down"})
    at_her_page.post(url(held, "feedback_answer"), {"comment": " Too\r\nlong. ", "stands": ""})
    given = Feedback.objects.get()
    assert (given.comment, given.may_train) == ("Too\nlong.", None) and evidence() == []


def test_the_longest_comment_fits_and_one_more_character_does_not(held, at_her_page):
    at_her_page.post(url(held), {"thumb": "up"})
    lines = "a\r\n" * (COMMENT_LENGTH // 2)
    assert at_her_page.post(url(held, "feedback_answer"), {"comment": lines}).status_code == 302
    refused = at_her_page.post(
        url(held, "feedback_answer"), {"comment": "x" * (COMMENT_LENGTH + 1), "may_train": "yes"}
    )
    assert refused.status_code == 422 and "the limit is 1,000" in text(refused)
    assert "x" * (COMMENT_LENGTH + 1) in refused.content.decode(), "what was written is lost"
    assert Feedback.objects.get().may_train is None
    with pytest.raises(TooLong):
        rated(alice(), held, comment="x" * (COMMENT_LENGTH + 1))


@pytest.mark.parametrize("said", [["maybe"], ["yes", "no"], ["YES"], ["on"]])
def test_what_is_no_answer_is_refused(held, at_her_page, said):
    at_her_page.post(url(held), {"thumb": "up"})
    refused = at_her_page.post(url(held, "feedback_answer"), {"may_train": said, "stands": ""})
    assert refused.status_code == 422 and "Please choose one of the two" in text(refused)
    assert Feedback.objects.get().may_train is None and evidence() == []


def test_a_form_that_was_answered_elsewhere_records_nothing(held, at_her_page):
    rated(alice(), held, False)
    stale = at_her_page.post(url(held, "feedback_answer"), {"may_train": "yes", "stands": ""})
    assert stale.status_code == 409 and "You have answered in another tab" in text(stale)
    assert Feedback.objects.get().may_train is False and len(evidence()) == 1


def test_a_form_whose_thumb_was_taken_back_records_nothing(held, at_her_page):
    taken_back(rated(alice(), held))
    stale = at_her_page.post(url(held, "feedback_answer"), {"may_train": "yes", "stands": ""}, headers=JSON)
    assert stale.status_code == 409 and not Feedback.objects.exists() and evidence() == []
    with pytest.raises(acts.Stale):
        acts.say(alice(), message=answer_of(held).public_id, comment="", may_train=True, stands="", given=GIVEN)


def test_the_browsers_wish_is_noted_and_shown(held, at_her_page):
    gpc = {"Sec-GPC": "1"}
    at_her_page.post(url(held), {"thumb": "up"})
    assert "Global Privacy Control" in text(at_her_page.get(url(held), headers=gpc))
    at_her_page.post(url(held, "feedback_answer"), {"may_train": "yes", "stands": ""}, headers=gpc)
    assert Event.objects.get(act=Act.EXCHANGE_ALLOWED).detail["gpc"] is True


# --- Whom it is asked, and about what ----------------------------------------------------


def denied(person: User) -> Conversation:
    decided(person, Training.DENY)
    return answered(person).conversation


def at_work() -> Conversation:
    turn = asked_in(will(), works())
    Message.objects.filter(pk=turn.answer.pk).update(state="complete", text="Yes.")
    return turn.conversation


def temporary(person: User) -> Conversation:
    decided(person, Training.DENY)
    place = person.personal_workspace.public_id
    turn = turns.ask(person, workspace=place, conversation=None, parent=None, text="Psst", temporary=True)
    Message.objects.filter(pk=turn.answer.pk).update(state="complete", text="Yes.")
    return turn.conversation


def flagged(person: User) -> Conversation:
    held = denied(person)
    flagging.flag(held, reason="Looks odd", told="We look at it.", by=stella())
    return held


def kept_for_a_court(person: User) -> Conversation:
    held = denied(person)
    holds.place(held, "A case", by=stella())
    return held


def by_a_minor(person: User) -> Conversation:
    User.objects.filter(pk=person.pk).update(date_of_birth=clock.now().date().replace(year=clock.now().year - 16))
    person.refresh_from_db()
    decided(person, None)
    return answered(person).conversation


def of_unknown_age(person: User) -> Conversation:
    User.objects.filter(pk=person.pk).update(date_of_birth=None)
    person.refresh_from_db()
    decided(person, None)
    return answered(person).conversation


NEVER = [temporary, flagged, kept_for_a_court, by_a_minor, of_unknown_age]


@pytest.mark.parametrize("scene", NEVER)
def test_where_something_overrides_every_permission_nothing_is_asked_and_nothing_given(scene, client):
    person = alice()
    held = scene(person)
    client.force_login(person)
    client.post(url(held), {"thumb": "up"})
    page = client.get(url(held))
    assert page.status_code == 200 and 'type="radio"' not in page.content.decode()
    refused = client.post(url(held, "feedback_answer"), {"comment": "Still", "may_train": "yes", "stands": ""})
    assert refused.status_code == 409 and evidence() == []
    assert Feedback.objects.get().may_train is None
    assert client.post(url(held, "feedback_answer"), {"comment": "Still"}).status_code == 302
    assert Feedback.objects.get().comment == "Still"


def test_at_work_nothing_is_asked_and_neither_answer_taken(client):
    held = at_work()
    client.force_login(will())
    client.post(url(held), {"thumb": "up"})
    assert "Its agreement alone says" in text(client.get(url(held)))
    for said in ("yes", "no"):
        assert client.post(url(held, "feedback_answer"), {"may_train": said, "stands": ""}).status_code == 409
    assert Feedback.objects.get().may_train is None and evidence() == []


def test_who_owes_an_answer_gives_thumbs_and_withdraws_but_allows_nothing(held, at_her_page, move_clock):
    other = answered(alice(), "Another")
    rated(alice(), held, True)
    published()
    move_clock(days=29)
    for one in (held, other.conversation):
        conversations.keep(alice(), conversation=one.public_id)
    move_clock(days=31)
    at_her_page.force_login(alice())
    assert at_her_page.post(url(other.conversation), {"thumb": "up"}).status_code == 302
    refused = at_her_page.post(url(other.conversation, "feedback_answer"), {"may_train": "yes", "stands": ""})
    assert refused.status_code == 409 and "Newer terms wait for your answer" in text(refused)
    assert at_her_page.post(url(held, "feedback_withdraw")).status_code == 302
    assert not Feedback.objects.filter(may_train=True).exists()


def test_what_was_allowed_can_be_withdrawn_under_a_review(held, at_her_page):
    rated(alice(), held, True)
    flagging.flag(held, reason="Looks odd", told="We look at it.", by=stella())
    assert "You had allowed this exchange; that rests" in text(at_her_page.get(url(held)))
    at_her_page.post(url(held, "feedback_withdraw"))
    assert Feedback.objects.get().may_train is False


def test_a_question_of_somebody_elses_is_not_ones_own_to_allow(held):
    Message.objects.filter(conversation=held, role="user").update(author=bob())
    with pytest.raises(NotPossible):
        rated(alice(), held, True)


def test_nobody_else_says_anything_of_it_or_reads_it(held, client):
    rated(alice(), held, True, "Between us")
    client.force_login(bob())
    for act in ("feedback", "feedback_answer", "feedback_withdraw", "feedback_take_back"):
        assert client.post(url(held, act), {"thumb": "down", "may_train": "no"}).status_code == 404
    assert client.get(url(held)).status_code == 404
    assert "Between us" not in text(client.get(reverse("chat:feedback_list")))
    with pytest.raises(NotFound):
        acts.rate(bob(), message=answer_of(held).public_id, thumb=Thumb.UP)
    with pytest.raises(NotFound):
        acts.rate(alice(), message=uuid4(), thumb=Thumb.UP)
    assert Feedback.objects.get().may_train is True and len(evidence()) == 1


def test_of_a_deleted_chat_nothing_is_said_and_nothing_listed(held, at_her_page):
    rated(alice(), held, True, "Right.")
    conversations.delete(alice(), conversation=held.public_id)
    assert at_her_page.post(url(held), {"thumb": "up"}).status_code == 404
    assert "Right." not in text(at_her_page.get(reverse("chat:feedback_list")))


def test_the_database_keeps_an_answer_and_its_moment_together(held):
    given = rated(alice(), held)
    for wrong in ({"may_train": True}, {"decided_at": clock.now()}, {"thumb": "flat"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Feedback.objects.filter(pk=given.pk).update(**wrong)


# --- What pages say -----------------------------------------------------------------------


def test_the_badge_says_what_is_allowed_apart_and_what_is_left_out(held, at_her_page):
    given = rated(alice(), held, True)
    assert "not used for training, but for 1 exchange" in text(at_her_page.get(held.get_absolute_url()))
    assert "You allowed 1 exchange of it with your feedback." in text(at_her_page.get(f"{held.get_absolute_url()}why"))
    withdrawn(given)
    assert "but for" not in text(at_her_page.get(held.get_absolute_url()))
    decided(alice(), Training.ALLOW)
    open_ = answered(alice()).conversation
    assert "may train models" in text(at_her_page.get(open_.get_absolute_url()))
    rated(alice(), open_, False)
    assert "left out of training" in text(at_her_page.get(open_.get_absolute_url()))


def test_the_list_takes_as_many_queries_for_thirty_as_for_one(at_her_page, held):
    rated(alice(), held, True)
    counts = []
    for many in (0, 29):
        for number in range(many):
            rated(alice(), answered(alice(), f"Question {number}").conversation)
        with CaptureQueriesContext(connection) as queries:
            at_her_page.get(reverse("chat:feedback_list"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_what_is_written_is_shown_as_words(held, at_her_page):
    rated(alice(), held, comment="<script>alert(1)</script>")
    assert b"<script>alert" not in at_her_page.get(reverse("chat:feedback_list")).content
    assert b"<script>alert" not in at_her_page.get(url(held)).content


# --- Gone -----------------------------------------------------------------------------------


def test_purged_with_its_chat_and_counted_in_the_certificate(move_clock):
    decided(alice(), Training.DENY)
    with_, without = answered(alice(), "One").conversation, answered(alice(), "Two").conversation
    rated(alice(), with_, True, "A xanthic comment")
    assert found("xanthic comment") == {"chat_feedback.comment"}
    for one in (with_, without):
        conversations.delete(alice(), conversation=one.public_id)
    move_clock(hours=25)
    assert sweep.sweep().purged == 2
    assert found("xanthic comment") == set() and not Feedback.objects.exists()
    went = {stone.key: stone.went["rows"] for stone in Tombstone.objects.all()}
    assert went == {with_.public_id: {"messages": 2, "feedback": 1}, without.public_id: {"messages": 2}}


def test_erased_with_the_person_at_home_and_at_work():
    held = at_work()
    decided(will(), Training.DENY)
    for one in (held, answered(will()).conversation):
        rated(will(), one, comment="A xanthic comment")
    leaving.leave(user=will())
    erasure.erase(will().pk)
    assert found("xanthic comment") == set() and not Feedback.objects.exists()
    assert Conversation.objects.filter(pk=held.pk).exists()


def test_it_is_in_the_file_of_ones_data(held):
    given = rated(alice(), held, True, "Right.")
    (said,) = exported(alice())["feedback"]
    assert (said["thumb"], said["comment"], said["may_train"]) == ("up", "Right.", True)
    assert (said["id"], said["conversation"]) == (str(given.key), str(held.public_id))
    assert said["message"] == str(answer_of(held).public_id)
    conversations.delete(alice(), conversation=held.public_id)
    assert exported(alice())["feedback"] == []


def test_no_sample_of_comments_is_in_the_databases_statistics():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attstattarget FROM pg_attribute WHERE attrelid = 'chat_feedback'::regclass AND attname = 'comment'"
        )
        assert cursor.fetchone() == (0,)


def test_asked_and_unanswered_it_waits(held, at_her_page):
    waiting = asked(alice(), within=held)
    page = at_her_page.get(held.get_absolute_url()).content.decode()
    assert page.count('data-act="thumb"') == 4 + 2  # two answers, and the pattern for new ones
    address = reverse("chat:feedback", args=[waiting.answer.public_id])
    assert at_her_page.post(address, {"thumb": "up"}, headers=JSON).status_code == 409
