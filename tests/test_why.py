"""The "why?" page and the badge never give a reason that contradicts what they say of training."""

import pytest
from django.utils import timezone

from accounts import clock
from chat.models import Conversation
from privacy import badge as badges
from privacy import standings
from privacy.vocabulary import Training
from tests.people import alice
from tests.scenes import answered, decided, published

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
    said = dict(badges.reasons(conversation, standing))["May it train models?"]
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
