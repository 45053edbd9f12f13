"""Several chats are deleted as one is, by one act that says before to how many, and come back by one undo."""

from datetime import timedelta
from time import monotonic

import pytest

from accounts import clock
from chat.models import Conversation, Message
from chat.turns import acts, conversations
from privacy import deleting
from privacy.selection import Selection
from privacy.vocabulary import Training
from tests.people import alice, bob, will, works
from tests.privacy_page import text
from tests.scenes import answered, asked, asked_in, decided
from tests.test_privacy_lists import laid

pytestmark = pytest.mark.django_db
ACT, UNDELETE = "/privacy/chats/act/", "/privacy/chats/undelete/"


@pytest.fixture
def client(client):
    client.force_login(alice())
    return client


def fresh(conversation: Conversation) -> Conversation:
    return Conversation.objects.select_related("workspace__agreed__agreement").get(pk=conversation.pk)


def facts(conversation: Conversation) -> tuple:
    one = fresh(conversation)
    return one.deleted_at is None, one.tag_class, one.tag_reason, one.hidden_from, one.grace_until, one.purge_after


def kinds() -> list[Conversation]:
    """Chats of every kind that Alice can have after a Don't allow."""
    ordinary, kept, expiring = (answered(alice(), said).conversation for said in ("One", "Two", "Three"))
    conversations.keep(alice(), conversation=kept.public_id)
    asked_at = clock.now() - timedelta(days=25)
    end = asked_at + timedelta(days=30)
    Conversation.objects.filter(pk=expiring.pk).update(last_activity_at=asked_at, hidden_from=end, purge_after=end)
    place = alice().personal_workspace.public_id
    temporary = acts.ask(alice(), workspace=place, conversation=None, parent=None, text="Four", temporary=True)
    return [ordinary, kept, expiring, temporary.conversation]


def test_together_they_are_what_each_would_be_by_itself():
    """The same columns, deleted and back, for every kind, whichever way."""
    decided(alice(), Training.DENY)
    rows, others = kinds(), kinds()
    before = [facts(row) for row in rows]
    count, at = deleting.delete(Selection(alice(), frozenset(row.public_id for row in rows)))
    assert count == 4 and {(fresh(row).deleted_at, fresh(row).hidden_from) for row in rows} == {(at, at)}
    for row, other in zip(rows, others, strict=True):
        conversations.delete(alice(), conversation=other.public_id)
        one, by_itself = fresh(row), fresh(other)
        assert (one.tag_class, one.tag_reason) == (by_itself.tag_class, by_itself.tag_reason)
        assert abs(one.grace_until - by_itself.grace_until) < timedelta(minutes=1)
        assert one.purge_after - one.deleted_at == by_itself.purge_after - by_itself.deleted_at
    assert deleting.undelete(alice(), at=at) == 4
    assert [one[:4] for one in map(facts, rows)] == [one[:4] for one in before]
    for row, other in zip(rows, others, strict=True):
        conversations.undelete(alice(), conversation=other.public_id)
        one, by_itself = fresh(row), fresh(other)
        assert (one.deleted_at, one.tag_class, one.grace_until is None) == (
            None,
            by_itself.tag_class,
            by_itself.grace_until is None,
        )


def test_it_is_asked_once_says_how_many_and_is_taken_back_as_a_whole(client):
    decided(alice(), Training.DENY)
    rows = [answered(alice(), f"Number {n}").conversation for n in range(3)]
    picked = {"act": "delete", "chat": [str(row.public_id) for row in rows[:2]]}
    page = client.post(ACT, picked)
    assert "Delete 2 chats?" in text(page) and not Conversation.objects.filter(deleted_at__isnull=False).exists()
    page = client.post(ACT, {**picked, "confirmed": "on"}, follow=True)
    assert "2 chats are deleted." in text(page) and "Number 0" not in text(page) and "Number 2" in text(page)
    assert client.get(rows[0].get_absolute_url()).status_code == 404
    at = fresh(rows[0]).deleted_at.isoformat()
    client.force_login(bob())
    assert "too late" in text(client.post(UNDELETE, {"at": at}, follow=True))
    client.force_login(alice())
    page = client.post(UNDELETE, {"at": at}, follow=True)
    assert "2 chats are back." in text(page) and "Number 0" in text(page)


@pytest.mark.parametrize("said", ["", "now", "2026-01-01", "9" * 400, "\x00"])
def test_what_names_no_act_takes_nothing_back(client, said):
    decided(alice(), Training.DENY)
    deleting.delete(Selection(alice(), frozenset([answered(alice()).conversation.public_id])))
    assert "too late" in text(client.post(UNDELETE, {"at": said}, follow=True))
    assert client.get("/privacy/chats/", {"deleted": said}).status_code == 200


def test_after_half_a_minute_it_is_too_late(client, move_clock):
    decided(alice(), Training.DENY)
    row = answered(alice()).conversation
    _, at = deleting.delete(Selection(alice(), frozenset([row.public_id])))
    move_clock(seconds=29)
    assert deleting.undoable(alice(), at)[0].exists()
    move_clock(seconds=31)
    assert deleting.undelete(alice(), at=at) == 0 and fresh(row).deleted_at is not None


def test_only_ones_own_and_only_what_was_counted(client):
    decided(alice(), Training.DENY)
    decided(bob(), Training.DENY)
    foreign, mine = answered(bob()).conversation, answered(alice()).conversation
    at = clock.now().isoformat()
    later = answered(alice()).conversation
    client.post(ACT, {"act": "delete", "chat": str(foreign.public_id), "confirmed": "on"})
    client.post(ACT, {"act": "delete", "all": "on", "at": at, "confirmed": "on"})
    assert [bool(fresh(row).deleted_at) for row in (foreign, mine, later)] == [False, True, False]


def test_what_trained_does_not_from_that_moment_and_answers_under_way_end():
    decided(alice(), Training.ALLOW)
    turn = asked(alice())
    assert Conversation.objects.trainable(clock.now()).exists()
    deleting.delete(Selection(alice()))
    assert not Conversation.objects.trainable(clock.now()).exists()
    assert Message.objects.get(pk=turn.answer.pk).state == "stopped"


def test_at_work_too():
    row = asked_in(will(), works()).conversation
    count, at = deleting.delete(Selection(will()))
    assert count == 1 and fresh(row).tag_reason == "deleted"
    deleting.undelete(will(), at=at)
    assert (fresh(row).deleted_at, fresh(row).hidden_from, fresh(row).tag_reason) == (None, None, "agreement")


def test_ten_thousand_in_a_moment_with_one_word_to_open_pages(django_capture_on_commit_callbacks):
    decided(alice(), Training.DENY)
    laid(alice(), 10_000)
    began = monotonic()
    with django_capture_on_commit_callbacks() as effects:
        count, at = deleting.delete(Selection(alice()))
    took = monotonic() - began
    assert count == 10_000 and len(effects) < 10 and took < 30  # one by one it takes minutes
    assert deleting.undelete(alice(), at=at) == 10_000
