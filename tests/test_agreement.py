"""What a Work workspace has agreed on: kept for how long, trains or not, by an owner's word alone."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction

from accounts import clock
from accounts.changes import age_changed
from accounts.errors import NotFound
from accounts.models import Membership, User
from chat.models import Conversation, Message
from chat.models.message import State
from chat.turns import acts, conversations
from privacy import policy, standings
from privacy.errors import StaleAnswer
from privacy.models import Agreed, Agreement, Event
from privacy.signing import sign
from privacy.vocabulary import Act, Reason, RetentionClass, Source, Training
from tests.people import alice, charlie, stella, wendy, will, works
from tests.scenes import asked_in, decided
from tests.threads import at_once


def signed(days: int | None = None, training: bool = False, **more) -> Agreement:
    """Wendy signs what is agreed on in her workspace from now on."""
    in_force = Agreed.objects.filter(workspace=works()).values_list("agreement", flat=True).first()
    said = {"owner": wendy(), "workspace": works(), "source": Source.SETTINGS, "seen": in_force}
    return sign(**{**said, "retention_days": days, "training": training, **more})


def written(author=None) -> Conversation:
    """A conversation that was just begun there, and whose answer has come."""
    turn = asked_in(author or will(), works())
    Message.objects.filter(pk=turn.answer.pk).update(state=State.COMPLETE, text="Yes.")
    return turn.conversation


def trains(conversation: Conversation) -> bool:
    return Conversation.objects.trainable(clock.now()).filter(pk=conversation.pk).exists()


@pytest.mark.django_db
class TestRetention:
    def test_without_an_agreement_chats_stay_and_never_train(self):
        conversation = written()
        assert (conversation.tag_class, conversation.hidden_from) == (RetentionClass.AGREEMENT, None)
        assert conversation.tag_reason == Reason.AGREEMENT and not trains(conversation)

    def test_members_chats_follow_it(self):
        signed(days=90)
        conversation = written()
        assert conversation.hidden_from == conversation.last_activity_at + timedelta(days=90)
        assert conversation.purge_after == conversation.hidden_from

    def test_an_end_never_jumps_nearer_than_thirty_days(self, move_clock):
        conversation = written()
        move_clock(days=100)
        signed(days=7)
        conversation.refresh_from_db()
        assert policy.NOTICE - timedelta(minutes=1) < conversation.hidden_from - clock.now() <= policy.NOTICE
        fresh = written()
        assert fresh.hidden_from == fresh.last_activity_at + timedelta(days=7)

    def test_a_longer_one_and_none_at_all_move_the_end_out(self):
        signed(days=40)
        conversation = written()
        signed(days=400)
        conversation.refresh_from_db()
        assert conversation.hidden_from == conversation.last_activity_at + timedelta(days=400)
        signed()
        conversation.refresh_from_db()
        assert (conversation.hidden_from, conversation.purge_after) == (None, None)

    def test_it_concerns_that_workspace_alone(self):
        decided(will(), Training.ALLOW)
        at_home = acts.ask(
            will(), workspace=will().personal_workspace.public_id, conversation=None, parent=None, text="Mine"
        ).conversation
        signed(days=1)
        before = at_home.tag
        at_home.refresh_from_db()
        assert at_home.tag == before

    def test_a_deletion_taken_back_is_under_what_is_agreed_on_now(self):
        conversation = written()
        conversations.delete(will(), conversation=conversation.public_id)
        signed(days=90)
        back = conversations.undelete(will(), conversation=conversation.public_id)
        assert back.hidden_from == back.last_activity_at + timedelta(days=90)


@pytest.mark.django_db
class TestTraining:
    def test_it_covers_what_is_begun_under_it(self):
        before = written()
        signed(training=True)
        after = written()
        assert (trains(before), trains(after)) == (False, True)
        before.refresh_from_db()
        assert (before.tag_reason, after.tag_reason) == (Reason.BEGUN_BEFORE, Reason.AGREED)

    def test_off_and_on_again_begins_anew(self):
        signed(training=True)
        conversation = written()
        signed(training=False)
        assert not trains(conversation)
        signed(training=True)
        assert not trains(conversation) and trains(written())

    def test_a_new_retention_breaks_nothing(self):
        signed(training=True)
        conversation = written()
        signed(training=True, days=900)
        assert trains(conversation)

    @pytest.mark.parametrize("answer", Training)
    def test_a_members_own_choice_neither_adds_nor_takes(self, answer):
        decided(will(), answer)
        plain = written()
        signed(training=True)
        agreed = written()
        decided(will(), Training.DENY if answer is Training.ALLOW else Training.ALLOW)
        assert (trains(plain), trains(agreed)) == (False, True)

    def test_deleted_temporary_flagged_and_held_never_train(self):
        signed(training=True)
        rows = Conversation.objects.filter(pk=written().pk)
        for overlay in ({"deleted_at": clock.now()}, {"temporary": True}, {"flagged_at": clock.now()}, {"held": True}):
            with transaction.atomic():
                rows.update(**overlay)
                assert not Conversation.objects.trainable(clock.now()).exists()
                transaction.set_rollback(True)

    def test_the_stored_tag_is_what_the_policy_says(self):
        for training, days in ((True, None), (False, 3), (True, 800)):
            signed(days=days, training=training)
            written()
            schedule = standings.schedule_for(works(), None)
            for row in Conversation.objects.select_related("workspace"):
                assert row.tag == policy.verdict(row.facts(policy.Standing()), policy.Standing(), schedule)
                stands = policy.trains(
                    row.facts(policy.Standing()).flags,
                    row.tag,
                    row.tag_epoch,
                    policy.Standing(),
                    row.agreement,
                    clock.now(),
                )
                assert stands == trains(row)


@pytest.mark.django_db
class TestSigning:
    def test_it_is_in_the_ledger_under_the_owners_number(self):
        agreement = signed(days=90, training=True)
        event = Event.objects.get(key=agreement.event)
        assert (event.act, event.subject) == (Act.AGREEMENT_SIGNED, wendy().subject.key)
        assert event.detail == {
            "workspace": str(works().public_id),
            "retention_days": 90,
            "training": True,
            "epoch": 1,
        }

    def test_the_same_again_signs_nothing(self):
        assert signed(days=90) == signed(days=90)
        assert Event.objects.filter(act=Act.AGREEMENT_SIGNED).count() == 1

    @pytest.mark.parametrize("person", [will, alice, charlie, stella])
    def test_only_an_owner_signs(self, person):
        works()
        with pytest.raises(NotFound):
            signed(days=90, owner=person())
        Membership.objects.update_or_create(
            user=person(), workspace=works(), defaults={"role": Membership.Role.ADMINISTRATOR}
        )
        with pytest.raises(NotFound):
            signed(days=90, owner=person())
        Membership.objects.filter(user=person()).update(role=Membership.Role.OWNER)
        assert signed(days=90, owner=person())

    def test_not_for_a_personal_workspace(self):
        with pytest.raises(NotFound):
            signed(days=90, workspace=wendy().personal_workspace)

    def test_what_another_owner_signed_meanwhile_is_looked_at_first(self):
        first = signed(days=90)
        with pytest.raises(StaleAnswer):
            signed(days=30, seen=None)
        assert signed(days=30, seen=first.pk)

    @pytest.mark.parametrize("days", [0, 36_501, -1])
    def test_days_are_days(self, days):
        with pytest.raises(DatabaseError), transaction.atomic():
            signed(days=days)

    @pytest.mark.parametrize(
        "change", ["UPDATE privacy_agreement SET training = true", "DELETE FROM privacy_agreement"]
    )
    def test_versions_never_change(self, change):
        signed(days=90)
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)


def test_a_turn_and_a_signature_at_the_same_moment(committed):
    """Whoever comes first: nothing trains that was begun without the owner's yes, and every tag is of what stands."""
    for _ in range(15):
        signed(training=True)
        assert at_once(partial(asked_in, will(), works()), partial(signed, days=60)) == []
        assert not Conversation.objects.trainable(clock.now()).exists()
        assert not Conversation.objects.filter(hidden_from=None).exists()
        Message.objects.open().update(state=State.COMPLETE)


@pytest.mark.django_db
class TestAge:
    """Minors and unknown ages never train, at work neither, whatever an owner says."""

    @pytest.mark.parametrize("born", [None, (clock.now() - timedelta(days=15 * 365)).date()])
    def test_what_they_write_never_trains(self, born):
        User.objects.filter(pk=will().pk).update(date_of_birth=born)
        signed(training=True)
        assert not trains(written(will()))
        assert trains(written(wendy()))

    def test_what_somebody_wrote_who_turns_out_to_be_under_age_trains_no_more(self):
        signed(training=True)
        conversation, other = written(will()), written(wendy())
        assert trains(conversation)
        person = will()
        person.date_of_birth = (clock.now() - timedelta(days=15 * 365)).date()
        with transaction.atomic():
            person.save()
            age_changed(person)
        conversation.refresh_from_db()
        assert (conversation.begun_epoch, conversation.tag_reason) == (None, Reason.BEGUN_BEFORE)
        assert not trains(conversation) and trains(other)
