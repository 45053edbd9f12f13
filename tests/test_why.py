"""The "why?" page and the badge never give a reason that contradicts what they say of training."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import clock
from accounts.models import User
from chat.models import Conversation, Message
from chat.turns import acts, conversations
from privacy import badge as badges
from privacy import standings
from privacy.models import Event
from privacy.vocabulary import Training
from privacy.why import lines
from tests.people import alice, wendy, will, works
from tests.privacy_page import moment, said_at, words
from tests.scenes import answered, asked_in, decided, published
from tests.test_agreement import signed

pytestmark = pytest.mark.django_db
ALLOWED = "You allowed training, this chat was begun afterwards"


@pytest.fixture
def conversation():
    """Begun under an Allow by somebody who keeps the history."""
    decided(alice(), Training.ALLOW, keep_history=True)
    return answered(alice()).conversation


def training(conversation: Conversation) -> str:
    """What the page answers to "May it train models?"; the badge gives the same reason."""
    conversation.refresh_from_db()
    standing = standings.standing_of(alice())
    said = {line.question: line.answer for line in lines(conversation, alice(), standing)}["May it train models?"]
    assert said.endswith(badges.badge(conversation, standing).sentence)
    return said


def test_what_trains_says_until_when(conversation):
    assert training(conversation).startswith(f"Yes, until {badges.day(conversation.trains_until)}. {ALLOWED}")


def test_a_kept_chat_past_its_time_says_that_its_time_has_ended(conversation, move_clock, client):
    ended = badges.day(conversation.trains_until)
    left = (conversation.trains_until - clock.now()).total_seconds()
    move_clock(seconds=left - 60)
    assert training(conversation).startswith("Yes")
    move_clock(seconds=left + 60)
    said = training(conversation)
    assert said.startswith("No. ") and ALLOWED not in said and f"ended on {ended}" in said
    client.force_login(alice())
    page = client.get(f"{conversation.get_absolute_url()}why").content.decode()
    assert "Kept until you delete it · not used for training" in page
    with timezone.override(alice().time_zone):
        assert f"ended on {badges.day(conversation.trains_until)}" in page and ALLOWED not in page


def test_while_newer_terms_wait_the_reason_is_that_they_wait(conversation, move_clock):
    published()
    move_clock(days=31)
    assert training(conversation).startswith("No. Newer terms wait for your answer")


def test_a_tag_that_no_background_task_has_reached_yet_gives_the_reason_of_today(conversation):
    was = {name: getattr(conversation, name) for name in ("tag_reason", "tag_epoch", "trains_until")}
    decided(alice(), Training.DENY)
    Conversation.objects.filter(pk=conversation.pk).update(**was)
    assert training(conversation) == "No. You did not allow training."


# --- The answer it follows from ---------------------------------------------------


def page(client, conversation: Conversation) -> str:
    client.force_login(conversation.author)
    return str(client.get(f"{conversation.get_absolute_url()}why").content.decode())


def answer(client, conversation: Conversation, question: str) -> str:
    """The whole answer to one question of the page, as words."""
    found = re.search(rf"<dt>{re.escape(question)}</dt><dd>(.*?)</dd>", page(client, conversation), re.S)
    assert found, question
    return words(found[1])


KEPT, TRAINS, GONE, WHO = (
    "How long is this chat kept?",
    "May it train models?",
    "When is it gone for good?",
    "Who received your words?",
)


def test_the_answer_on_training_and_its_receipt_stand_beside_the_verdict(conversation, client):
    assert answer(client, conversation, TRAINS).endswith(f"You chose “Allow” on {said_at('training_allowed')}. Receipt")
    decided(alice(), Training.DENY, keep_history=True)
    said = answer(client, conversation, TRAINS)
    assert "You did not allow training." in said
    assert said.endswith(f"You chose “Don't allow” on {said_at('training_withdrawn')}. Receipt")
    key = Event.objects.of(alice()).get(act="training_withdrawn").key
    assert f'href="/privacy/receipts/{key}/"' in page(client, conversation)
    assert client.get(f"/privacy/receipts/{key}/").status_code == 200


def test_what_was_begun_before_says_when_that_was(client):
    decided(alice(), Training.DENY)
    held = answered(alice()).conversation
    decided(alice(), Training.ALLOW)
    said = answer(client, held, TRAINS)
    assert "You chose “Allow” on" in said and f"This chat was begun on {moment(held.begun_at)}." in said


def test_the_wish_to_keep_the_history_is_proved_and_keeping_one_chat_is_not(conversation, client):
    assert answer(client, conversation, KEPT).endswith(
        f"You asked to keep your history on {said_at('history_kept')}. Receipt"
    )
    decided(alice(), Training.ALLOW)
    conversations.keep(alice(), conversation=conversation.public_id)
    conversation.refresh_from_db()
    said = answer(client, conversation, KEPT)
    assert said == "Kept until you delete it. You kept this chat, so it stays until you let it go or delete it."


def test_where_nobodys_answer_counts_none_is_named(client):
    decided(alice(), Training.ALLOW)
    turn = acts.ask(
        alice(),
        workspace=alice().personal_workspace.public_id,
        conversation=None,
        parent=None,
        text="x",
        temporary=True,
    )
    said = answer(client, turn.conversation, TRAINS)
    assert said == "No. Temporary chats never train models."


def test_at_work_it_is_the_agreement_and_who_signed_it(client):
    decided(will(), Training.DENY)
    unsigned = asked_in(will(), works()).conversation
    assert "Nobody has signed an agreement there. The agreement" in answer(client, unsigned, TRAINS)
    assert "Work workspace, where chats are given no end." in answer(client, unsigned, KEPT)
    agreement = signed(days=60, training=True)
    held = asked_in(will(), works()).conversation
    with timezone.override(will().time_zone):
        by = f"By the agreement of {badges.moment(agreement.signed_at)}, signed by Wendy. The agreement"
    for question in (KEPT, TRAINS):
        assert answer(client, held, question).endswith(by)
    assert f'href="/privacy/work/{works().public_id}/"' in page(client, held)
    assert client.get(f"/privacy/work/{works().public_id}/").status_code == 200


def test_a_signer_without_a_name_is_not_named_by_their_address(client):
    User.objects.filter(pk=wendy().pk).update(display_name="")
    decided(will(), Training.DENY)
    signed(days=60, training=False)
    held = asked_in(will(), works()).conversation
    assert wendy().email not in page(client, held)
    agreed = client.get(f"/privacy/work/{works().public_id}/").content.decode()
    assert "Signed by" in agreed and wendy().email not in agreed


# --- When it is gone, and who has the words ---------------------------------------


def test_what_is_set_apart_says_when_it_can_be_gone(client, conversation):
    decided(alice(), Training.DENY)
    conversation = answered(alice(), "Another").conversation
    assert "It is purged from Parley's systems soon after" in answer(client, conversation, GONE)
    later = conversation.hidden_from + timedelta(days=700)
    Conversation.objects.filter(pk=conversation.pk).update(flagged_at=clock.now(), purge_after=later)
    assert "later than its end, for it was set apart for a safety review" in answer(client, conversation, GONE)
    Conversation.objects.filter(pk=conversation.pk).update(flagged_at=None, held=True, purge_after=None)
    assert "Not before the legal hold is released" in answer(client, conversation, GONE)


def test_each_model_that_received_the_words_is_named_with_its_company(client, conversation, settings):
    settings.MODEL = {**settings.MODEL, "operator": "Example Models", "operator_retention": ""}
    first, second = (answered(alice()) for _ in range(2))
    Message.objects.filter(pk=first.answer.pk).update(model="Large 3", operator="Example Models")
    Message.objects.filter(pk=second.answer.pk).update(
        model="SmolLM2", operator="this machine", conversation=first.conversation
    )
    said = answer(client, first.conversation, WHO)
    assert said.startswith("Large 3, operated by Example Models On ")
    assert "With them your words stay according to their own terms; no purge of Parley's reaches them there." in said
    assert "SmolLM2, on this machine" in said and "did not leave this machine for an answer" in said
    settings.MODEL = {**settings.MODEL, "operator_retention": "Inputs are kept for 30 days."}
    assert "What is stated of that: Inputs are kept for 30 days." in answer(client, first.conversation, WHO)
    Message.objects.filter(pk=first.answer.pk).update(operator="Another company")
    assert "Inputs are kept for 30 days." not in answer(client, first.conversation, WHO)


def test_a_model_that_was_not_reached_yet_has_received_nothing(client):
    decided(alice(), Training.DENY)
    held = acts.ask(
        alice(), workspace=alice().personal_workspace.public_id, conversation=None, parent=None, text="x"
    ).conversation
    assert answer(client, held, WHO) == "No model yet."


def test_the_badge_is_in_the_list_and_over_the_conversation(client, conversation):
    client.force_login(alice())
    seen = client.get(conversation.get_absolute_url()).content.decode()
    assert '<span class="about trains" title="Kept · may train">Kept · may train</span>' in seen
    assert "<span>Kept until you delete it · may train models</span></summary>" in seen
    decided(alice(), Training.DENY)
    conversation.refresh_from_db()
    with timezone.override(alice().time_zone):
        end = timezone.localtime(conversation.hidden_from)
    seen = client.get(conversation.get_absolute_url()).content.decode()
    assert f"Until {end.day} {end:%b} {end.year} · no training</span>" in seen
    assert f"Kept until {end.day} {end:%B} {end.year} · not used for training" in seen
