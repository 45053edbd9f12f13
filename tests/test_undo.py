"""Delete, decide, undo: an end never jumps nearer than thirty days that way either."""

from datetime import timedelta

import pytest

from accounts import clock
from chat.models import Conversation
from chat.turns import conversations
from privacy import policy, standings, tagging
from privacy.policy import Schedule
from privacy.vocabulary import Training
from tests.people import alice
from tests.scenes import answered, decided


@pytest.mark.django_db
class TestUndo:
    def undone(self, conversation: Conversation, between=lambda: None) -> Conversation:
        conversations.delete(alice(), conversation=conversation.public_id)
        between()
        return conversations.undelete(alice(), conversation=conversation.public_id)

    def old(self, move_clock, **answer) -> Conversation:
        decided(alice(), Training.ALLOW, **answer)
        conversation = answered(alice()).conversation
        move_clock(days=365)
        return conversation

    @pytest.mark.parametrize("keep", [False, True])
    def test_a_chat_that_would_be_over_is_there_for_thirty_days_more(self, keep, move_clock):
        conversation = self.old(move_clock, keep_history=keep)
        back = self.undone(conversation, lambda: decided(alice(), Training.DENY))
        back.refresh_from_db()
        assert (back.deleted_at, back.tag_reason) == (None, "denied")
        assert back in Conversation.objects.visible(clock.now())
        assert policy.NOTICE - timedelta(minutes=1) < back.hidden_from - clock.now() <= policy.NOTICE
        decided(alice(), Training.DENY, keep_history=True)
        decided(alice(), Training.DENY, keep_history=False)
        back.refresh_from_db()
        assert back in Conversation.objects.visible(clock.now())

    def test_the_thirty_days_are_counted_from_the_undo(self, move_clock):
        conversation = self.old(move_clock)

        def hesitate() -> None:
            decided(alice(), Training.DENY)
            move_clock(days=365, seconds=25)

        back = self.undone(conversation, hesitate)
        assert back.hidden_from - clock.now() > policy.NOTICE - timedelta(seconds=10)

    def test_an_end_that_was_nearer_stays_where_it_was(self, move_clock):
        decided(alice(), Training.DENY)
        conversation = answered(alice()).conversation
        conversation.refresh_from_db()
        end = conversation.hidden_from
        move_clock(days=29)
        back = self.undone(conversation)
        assert (back.hidden_from, back.grace_until) == (end, None)

    def test_a_promise_that_stood_before_stands_again(self, move_clock):
        conversation = self.old(move_clock)
        decided(alice(), Training.DENY)
        conversation.refresh_from_db()
        promise = conversation.grace_until
        move_clock(days=366)
        back = self.undone(conversation)
        assert back.hidden_from == back.grace_until == promise is not None

    def test_where_nothing_was_decided_nothing_changes(self, move_clock):
        conversation = self.old(move_clock)
        conversation.refresh_from_db()
        before = conversation.tag
        back = self.undone(conversation)
        assert (back.tag, back.grace_until) == (before, None)

    def test_twice_is_the_same_as_once(self, move_clock):
        conversation = self.old(move_clock)
        facts = standings.standing_of(alice()), Schedule()
        conversation.refresh_from_db()
        before = conversation.tag
        for act in (tagging.delete, tagging.delete, tagging.restore, tagging.restore):
            act(conversation, *facts)
        assert (conversation.tag, conversation.deleted_at) == (before, None)
