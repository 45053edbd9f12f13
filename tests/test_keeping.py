"""Keep a chat, or let it go: a fact of that chat, with thirty days before any end, and nothing that trains by it."""

from datetime import timedelta

import pytest

from accounts import clock
from accounts.errors import NotFound
from chat.models import Conversation
from chat.turns import conversations
from privacy import keeping, policy, standings
from privacy.models import Event
from privacy.selection import Selection
from privacy.vocabulary import RetentionClass, Training
from tests.people import alice, bob, will, works
from tests.privacy_page import text
from tests.scenes import answered, asked_in, decided

pytestmark = pytest.mark.django_db
ACT = "/privacy/chats/act/"


def fresh(conversation: Conversation) -> Conversation:
    return Conversation.objects.select_related("workspace").get(pk=conversation.pk)


def kept(conversation: Conversation) -> Conversation:
    conversations.keep(alice(), conversation=conversation.public_id)
    return fresh(conversation)


def let_go(conversation: Conversation) -> Conversation:
    conversations.let_go(alice(), conversation=conversation.public_id)
    return fresh(conversation)


@pytest.fixture
def conversation():
    decided(alice(), Training.DENY)
    return answered(alice()).conversation


class TestOne:
    def test_kept_it_stays_and_let_go_it_ends_in_thirty_days_at_the_earliest(self, conversation, move_clock):
        move_clock(days=20)
        one = kept(conversation)
        assert (one.tag_class, one.hidden_from, one.purge_after) == (RetentionClass.KEPT, None, None)
        move_clock(days=400)
        foretold = keeping.end_if_let_go(one, standings.standing_of(alice()), policy.Schedule())
        one = let_go(conversation)
        assert one.tag_class == RetentionClass.STANDARD and not one.kept
        assert abs(one.hidden_from - (clock.now() + policy.NOTICE)) < timedelta(seconds=30)
        assert abs(one.hidden_from - foretold) < timedelta(seconds=30)

    def test_let_go_again_and_again_moves_no_end_nearer(self, conversation, move_clock):
        move_clock(days=10)
        ends = []
        for day in (10, 11, 39):
            move_clock(days=day)
            ends.append(let_go(kept(conversation)).hidden_from - clock.now())
        assert min(ends) > policy.NOTICE - timedelta(minutes=1)

    def test_it_never_makes_anything_train(self, conversation):
        decided(alice(), Training.ALLOW)
        one = kept(conversation)
        assert one.tag_reason == "begun_before" and one.trains_until is None
        assert not Conversation.objects.trainable(clock.now()).exists()

    def test_what_trains_goes_on_for_its_time_alone(self):
        decided(alice(), Training.ALLOW)
        one = kept(answered(alice()).conversation)
        assert one.tag_class == RetentionClass.KEPT
        assert one.trains_until == policy.Duration(years=5).after(one.last_activity_at)
        decided(alice(), Training.DENY)
        assert fresh(one).hidden_from is None and not Conversation.objects.trainable(clock.now()).exists()

    def test_whoever_keeps_the_whole_history_is_told_that_it_stays_all_the_same(self, conversation):
        decided(alice(), Training.DENY, keep_history=True)
        one = kept(conversation)
        assert "stays all the same" in keeping.offer(alice(), one, standings.standing_of(alice())).follows
        assert let_go(conversation).hidden_from is None

    def test_nothing_is_recorded_and_other_pages_hear_of_it(self, conversation, django_capture_on_commit_callbacks):
        before = Event.objects.count()
        with django_capture_on_commit_callbacks() as effects:
            kept(conversation)
        assert Event.objects.count() == before and len(effects) >= 1
        with django_capture_on_commit_callbacks() as effects:
            kept(conversation)
        assert effects == []

    def test_strangers_hidden_ones_and_work_chats_are_not_kept(self, conversation, move_clock):
        with pytest.raises(NotFound):
            conversations.keep(bob(), conversation=conversation.public_id)
        at_work = asked_in(will(), works()).conversation
        conversations.keep(will(), conversation=at_work.public_id)
        assert not fresh(at_work).kept and keeping.offer(will(), at_work, policy.Standing()) is None
        move_clock(days=31)
        with pytest.raises(NotFound):
            conversations.keep(alice(), conversation=conversation.public_id)
        assert not fresh(conversation).kept

    def test_from_the_sheet_of_the_badge(self, conversation, client):
        client.force_login(alice())
        page = client.get(conversation.get_absolute_url())
        assert "Keep this chat" in text(page) and "Let this chat go" not in text(page)
        page = client.post(f"{conversation.get_absolute_url()}keep", follow=True)
        assert "Kept until you delete it" in text(page) and "Let go, it stays until" in text(page)
        assert client.post(f"{conversation.get_absolute_url()}let-go").status_code == 302
        assert not fresh(conversation).kept
        client.force_login(bob())
        assert client.post(f"{conversation.get_absolute_url()}keep").status_code == 404


class TestSeveral:
    @pytest.fixture
    def client(self, client):
        client.force_login(alice())
        return client

    def begun(self, count: int) -> list[Conversation]:
        decided(alice(), Training.DENY)
        return [answered(alice(), f"Number {n}").conversation for n in range(count)]

    def test_picked_ones_are_kept_and_no_others(self, client):
        one, two, three = self.begun(3)
        foreign = answered_by_bob()
        picked = [str(one.public_id), str(two.public_id), str(foreign.public_id)]
        page = client.post(ACT, {"act": "keep", "chat": picked}, follow=True)
        assert "2 more chats are kept." in text(page) and text(page).count("Kept by you") == 2
        assert [fresh(row).kept for row in (one, two, three, foreign)] == [True, True, False, False]

    def test_letting_go_says_first_how_many_and_from_when(self, client):
        rows = self.begun(2)
        keeping.keep(Selection(alice()))
        picked = [str(row.public_id) for row in rows]
        page = client.post(ACT, {"act": "let_go", "chat": picked})
        assert "Let 2 chats go?" in text(page) and "None ends before" in text(page)
        assert all(fresh(row).kept for row in rows)
        client.post(ACT, {"act": "let_go", "chat": picked, "confirmed": "on"})
        assert not any(fresh(row).kept for row in rows)

    def test_all_are_those_that_were_counted(self, client):
        one = self.begun(1)[0]
        at = clock.now().isoformat()
        later = answered(alice()).conversation
        client.post(ACT, {"act": "keep", "all": "on", "at": at, "class": "standard"})
        assert fresh(one).kept and not fresh(later).kept

    @pytest.mark.parametrize(
        "sent",
        [
            *({}, {"act": "keep"}, {"act": "keep", "all": "on"}, {"act": "keep", "all": "yes", "at": "2026-01-01"}),
            *({"act": "burn", "all": "on", "at": "2100-01-01"}, {"act": "keep", "chat": "x"}),
            *({"act": "keep", "all": "on", "at": "soon"}, {"act": "keep", "chat": "\x00"}),
        ],
    )
    def test_what_is_no_selection_does_nothing(self, client, sent):
        one = self.begun(1)[0]
        assert "Pick the chats first" in text(client.post(ACT, sent, follow=True))
        assert not fresh(one).kept


def answered_by_bob() -> Conversation:
    decided(bob(), Training.DENY)
    return answered(bob()).conversation
