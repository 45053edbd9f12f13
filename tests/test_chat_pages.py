"""The chat's pages: what they show, to whom, and what they cost."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import clock
from chat.models import Conversation, Message, SpentTurn
from privacy.vocabulary import Training
from tests.people import alice, stella, wendy, will, works
from tests.scenes import answered, asked, asked_in, decided

pytestmark = pytest.mark.django_db


def queries(client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.fixture
def signed_in(client):
    decided(alice(), Training.DENY)
    client.force_login(alice())
    return client


def test_a_new_person_meets_the_question_before_the_first_message(client):
    client.force_login(alice())
    answer = client.get("/chat/")
    assert answer["location"] == "/privacy/choice/?next=%2Fchat%2F"
    page = client.get(answer["location"]).content.decode()
    assert "checked" not in page


def test_a_member_of_a_work_workspace_is_taken_there_and_not_asked(client):
    works()
    client.force_login(will())
    answer = client.get("/chat/", follow=True)
    assert answer.redirect_chain == [("/chat/", 302)]
    assert answer.context["request"].workspace == works()


def test_the_page_costs_the_same_with_many_conversations(signed_in):
    answered(alice())
    few = queries(signed_in, "/chat/")
    for _ in range(29):
        answered(alice())
    assert queries(signed_in, "/chat/") == few


def test_a_transcript_costs_the_same_with_many_messages(signed_in):
    conversation = answered(alice()).conversation
    few = queries(signed_in, conversation.get_absolute_url())
    for number in range(15):
        turn = asked(alice(), f"More {number}", within=Conversation.objects.get(pk=conversation.pk))
        Message.objects.filter(pk=turn.answer.pk).update(state="complete", text="Yes.")
    assert queries(signed_in, conversation.get_absolute_url()) == few


def test_a_question_that_was_edited_is_a_branch_and_both_stay(signed_in):
    turn = answered(alice())
    signed_in.post(reverse("chat:edit", args=[turn.question.public_id]), {"text": "What is trust?"})
    Message.objects.filter(state="waiting").update(state="complete", text="Something given.")
    page = signed_in.get(turn.conversation.get_absolute_url()).content.decode()
    assert "What is trust?" in page and "2 / 2" in page and "One that is kept." not in page
    signed_in.post(reverse("chat:branch", args=[turn.question.public_id]))
    page = signed_in.get(turn.conversation.get_absolute_url()).content.decode()
    assert "One that is kept." in page and "1 / 2" in page


@pytest.mark.parametrize(
    ("error", "sentence"),
    [("cut_short", "The answer reached the greatest length."), ("", "The answer was interrupted.")],
)
def test_an_answer_that_was_cut_short_says_why_and_offers_to_go_on(signed_in, error, sentence):
    turn = answered(alice())
    Message.objects.filter(pk=turn.answer.pk).update(state="interrupted", error=error)
    page = signed_in.get(turn.conversation.get_absolute_url()).content.decode()
    shown = page[page.index(f'id="m-{turn.answer.public_id}"') :]
    assert sentence in shown[: shown.index("</article>")]
    button = shown[shown.index('data-act="continue"') :]
    assert "hidden" not in button[: button.index(">")]


def test_deleting_by_form_offers_undo_and_undo_brings_it_back(signed_in):
    conversation = answered(alice()).conversation
    page = signed_in.post(reverse("chat:delete", args=[conversation.public_id]), follow=True).content.decode()
    assert reverse("chat:undelete", args=[conversation.public_id]) in page
    signed_in.post(reverse("chat:undelete", args=[conversation.public_id]))
    assert signed_in.get(conversation.get_absolute_url()).status_code == 200


def test_the_allowance_ends_with_words_and_the_text_comes_back(signed_in):
    workspace = alice().personal_workspace
    workspace.overrides = {"messages": 2}
    workspace.save()
    conversation = answered(alice()).conversation
    answered(alice())
    answer = signed_in.post(reverse("chat:ask"), {"text": "One more thing"})
    assert answer.status_code == 429
    assert "One more thing" in answer.content.decode() and "You have used all 2 messages" in answer.content.decode()
    signed_in.post(reverse("chat:delete", args=[conversation.public_id]))
    assert signed_in.post(reverse("chat:ask"), {"text": "Again"}).status_code == 429  # deleting gives nothing back


def test_the_allowance_comes_back_with_time(signed_in, move_clock):
    workspace = alice().personal_workspace
    workspace.overrides = {"messages": 1}
    workspace.save()
    answered(alice())
    move_clock(hours=5, seconds=1)
    answered(alice())


def test_the_page_says_when_every_message_is_back(signed_in, move_clock):
    answered(alice())
    move_clock(hours=2)
    answered(alice())
    whole_at = SpentTurn.objects.latest("at").at + timedelta(hours=5)
    page = signed_in.get("/chat/").content.decode()
    assert f"38 of 40 messages left, all again at {whole_at.astimezone(ZoneInfo(alice().time_zone)):%H:%M}" in page


def test_the_badge_speaks_in_the_persons_time_zone(signed_in):
    person = alice()
    conversation = answered(person).conversation
    end = clock.now().replace(hour=23, minute=30) + timedelta(days=30)
    Conversation.objects.filter(pk=conversation.pk).update(hidden_from=end)
    for zone, day in (("UTC", end), ("Asia/Tokyo", end + timedelta(days=1))):
        person.time_zone = zone
        person.save()
        page = signed_in.get(conversation.get_absolute_url()).content.decode()
        assert f"Kept until {day.day} {day:%B %Y} · not used for training" in page


def test_pages_of_people_are_kept_by_no_cache(signed_in):
    conversation = answered(alice()).conversation
    for url in ("/chat/", conversation.get_absolute_url(), f"{conversation.get_absolute_url()}why", "/privacy/"):
        assert "no-store" in signed_in.get(url)["cache-control"], url


def test_staff_sees_what_applies_to_a_conversation_and_never_what_is_said(client):
    decided(alice(), Training.DENY)
    secret = answered(alice(), "My secret is xanthic", "I keep xanthic")
    hidden = answered(alice()).conversation
    Conversation.objects.filter(pk=hidden.pk).update(hidden_from=clock.now())
    client.force_login(stella())
    listed = client.get("/admin/chat/conversation/").content.decode()
    shown = client.get(f"/admin/chat/conversation/{secret.conversation.pk}/change/").content.decode()
    assert str(secret.conversation.public_id) in listed and "xanthic" not in listed + shown
    assert str(hidden.public_id) not in listed
    assert secret.conversation.get_absolute_url() not in listed + shown and "View on site" not in shown
    for page in ("privacy/event", "privacy/sweeprun", "privacy/standing", "privacy/tombstone"):
        assert client.get(f"/admin/{page}/").status_code == 200
        assert client.get(f"/admin/{page}/add/").status_code == 403


def test_administrators_of_a_work_workspace_do_not_read_their_members_chats(client):
    conversation = asked_in(will(), works(), "Between me and the model").conversation
    client.force_login(wendy())
    assert client.get(conversation.get_absolute_url()).status_code == 404


def test_somebody_who_left_a_workspace_sees_its_chats_no_more(client):
    conversation = asked_in(will(), works()).conversation
    client.force_login(will())
    assert client.get(conversation.get_absolute_url()).status_code == 200
    will().memberships.filter(workspace=works()).delete()
    assert client.get(conversation.get_absolute_url()).status_code == 404
