"""A legal hold blocks purge and training at once, for what is and what comes; its release takes nobody by surprise."""

from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts import clock
from chat.models import Conversation
from chat.turns import conversations
from privacy import erasure, holds, leaving, standings, tagging
from privacy import sweep as sweeping
from privacy.models import Event, Hold, Standing, Subject
from privacy.vocabulary import Act, Training
from tests.people import alice, bob, stella, wendy, will, works
from tests.scenes import answered, asked, asked_in, decided
from tests.threads import at_once

WHY = "Claim 12/2026"


def held() -> set[Conversation]:
    return set(Conversation.objects.filter(held=True))


def assert_tags_true() -> None:
    """Every stored tag is what the policy says."""
    for row in Conversation.objects.select_related("workspace", "author"):
        person = row.workspace.personal_to
        standing = Standing.objects.whole().filter(user=person).first() if person else None
        facts, stored = standings.as_facts(person, standing), row.tag
        tagging.tag(row, facts, standings.schedule_for(row.workspace, standing))
        assert row.tag == stored


@pytest.mark.django_db
class TestPlacing:
    @pytest.fixture
    def theirs(self):
        """Alice's and Will's, at home and at work."""
        decided(alice(), Training.ALLOW)
        decided(will(), Training.ALLOW)
        return [
            answered(alice()).conversation,
            answered(will()).conversation,
            asked_in(will(), works()).conversation,
            asked_in(wendy(), works()).conversation,
        ]

    @pytest.mark.parametrize(
        ("on", "which"),
        [("person", [1, 2]), ("workspace", [2, 3]), ("home", [0]), ("conversation", [3])],
    )
    def test_it_covers_what_it_names_and_nothing_else(self, theirs, on, which):
        target = {"person": will(), "workspace": works(), "home": alice().personal_workspace, "conversation": theirs[3]}
        holds.place(target[on], WHY, by=stella())
        assert held() == {theirs[number] for number in which}
        assert_tags_true()
        for row in held():
            assert (row.tag_reason, row.trains_until, row.purge_after) == ("held", None, None)
        assert set(Conversation.objects.trainable(clock.now())) == {theirs[0], theirs[1]} - held()

    def test_what_is_begun_later_is_held_from_its_first_message_on(self, theirs):
        holds.place(will(), WHY, by=stella())
        later, elsewhere = asked_in(will(), works()).conversation, asked_in(wendy(), works()).conversation
        assert later in held() and elsewhere not in held()
        assert later.tag_reason == "held"
        assert_tags_true()

    def test_it_is_in_the_ledger_without_the_person(self, theirs):
        holds.release(holds.place(alice(), WHY, by=stella()), "Settled.", by=stella())
        placed, released = Event.objects.filter(act__in=[Act.HOLD_PLACED, Act.HOLD_RELEASED]).order_by("pk")
        assert (placed.detail["reason"], released.detail["reason"]) == (WHY, "Settled.")
        assert placed.detail["person"] == str(alice().subject.key) and placed.actor == stella().subject.key
        assert alice().email not in str(placed.detail)

    def test_it_survives_that_the_person_leaves_and_ends_with_its_release(self, theirs, move_clock):
        person = will()
        hold = holds.place(person, WHY, by=stella())
        leaving.leave(user=person)
        assert not erasure.erase(person.pk)
        move_clock(days=40)
        assert sweeping.sweep() is None and held() == {theirs[1], theirs[2]}
        holds.release(hold, "Settled.", by=stella())
        assert erasure.erase(person.pk) and not held()
        assert Conversation.objects.get(pk=theirs[2].pk).author is None
        assert Event.objects.filter(act=Act.ERASED).count() == 1 and not Subject.objects.filter(user=person.pk).exists()


@pytest.mark.django_db
class TestReleasing:
    def test_what_ended_meanwhile_stays_hidden_and_is_purged_thirty_days_later(self, move_clock):
        decided(alice(), Training.DENY)
        mine = answered(alice()).conversation
        hold = holds.place(alice(), WHY, by=stella())
        move_clock(days=40)
        assert sweeping.sweep() is None and not Conversation.objects.visible(clock.now()).exists()
        holds.release(hold, "Settled.", by=stella())
        assert_tags_true()
        mine.refresh_from_db()
        assert mine.hidden_from < clock.now() < mine.purge_after - timedelta(days=29, hours=23)
        assert sweeping.sweep() is None
        move_clock(days=71)
        assert sweeping.sweep().purged == 1

    def test_what_was_deleted_meanwhile_goes_at_once(self, move_clock):
        decided(alice(), Training.DENY)
        hold = holds.place(alice(), WHY, by=stella())
        conversations.delete(alice(), conversation=answered(alice()).conversation.public_id)
        move_clock(days=2)
        assert sweeping.sweep() is None and Conversation.objects.count() == 1
        holds.release(hold, "Settled.", by=stella())
        assert sweeping.sweep().purged == 1

    def test_what_another_hold_covers_stays_held(self):
        decided(will(), Training.DENY)
        home, work = answered(will()).conversation, asked_in(will(), works()).conversation
        hold = holds.place(will(), WHY, by=stella())
        holds.place(works(), "Audit", by=stella())
        holds.release(hold, "Settled.", by=stella())
        assert held() == {work} and home.pk
        assert_tags_true()

    def test_twice_is_refused(self):
        hold = holds.place(alice(), WHY, by=stella())
        holds.release(hold, "Settled.", by=stella())
        with pytest.raises(holds.AlreadyReleased):
            holds.release(hold, "Settled.", by=stella())


def test_a_turn_begun_at_the_same_moment_is_held(committed):
    """With real connections: the turn comes before the hold and is caught by it, or after it and sees it."""
    person, staff = alice(), stella()
    decided(person, Training.ALLOW)
    for _ in range(10):
        Conversation.objects.update(held=False)
        Hold.objects.all().delete()
        acts = partial(asked, person), partial(holds.place, person, WHY, by=staff)
        assert [error for error in at_once(*acts) if type(error).__name__ != "Busy"] == []
        assert not Conversation.objects.filter(held=False).exists()
        assert not Conversation.objects.trainable(clock.now()).exists()


@pytest.mark.django_db
class TestPages:
    def test_staff_places_and_releases(self, client):
        decided(alice(), Training.ALLOW)
        mine = answered(alice(), text="Where is my aubergine?").conversation
        client.force_login(stella())
        form = {"on": "conversation", "key": str(mine.public_id), "reason": WHY, "confirmed": "on"}
        for lacking in form:
            said = {name: value for name, value in form.items() if name != lacking}
            assert client.post(reverse("admin:privacy_hold_place"), said).status_code == 422
        assert not Hold.objects.exists()
        shown = client.post(reverse("admin:privacy_hold_place"), form, follow=True).content.decode()
        assert WHY in shown and "aubergine" not in shown and held() == {mine}
        release = reverse("admin:privacy_hold_release", args=[Hold.objects.get().pk])
        assert client.get(release).status_code == 200
        assert client.post(release, {"reason": "Settled."}).status_code == 422 and held()
        client.post(release, {"reason": "Settled.", "confirmed": "on"})
        assert not held() and Hold.objects.get().release_reason == "Settled."

    def test_auditors_look_and_do_nothing(self, client):
        hold = holds.place(alice(), WHY, by=stella())
        auditor = bob(is_staff=True)
        auditor.user_permissions.set(Permission.objects.filter(codename="view_hold"))
        client.force_login(auditor)
        assert WHY in client.get(reverse("admin:privacy_hold_changelist")).content.decode()
        assert client.get(reverse("admin:privacy_hold_place")).status_code == 403
        release = reverse("admin:privacy_hold_release", args=[hold.pk])
        assert client.post(release, {"reason": "No.", "confirmed": "on"}).status_code == 403
        assert Hold.objects.standing().exists()
