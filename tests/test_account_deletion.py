"""Leaving for good: the page, who may, and the fence that shuts out at once whoever does."""

from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import clock
from accounts.errors import NotFound
from accounts.models import Membership, User, Workspace
from chat.models import Conversation
from chat.turns import conversations
from privacy import erasure, leaving, reminders
from privacy.errors import SoleOwner, StillStaff
from privacy.models import Erasure, Event, Reminder, Tombstone
from privacy.vocabulary import Act, Training
from tests.account_pages import sign_in, target
from tests.leaving import erased
from tests.people import PASSWORD, alice, bob, stella, wendy, will, works
from tests.scenes import answered, asked, asked_in, decided, published
from tests.sockets import goodbye, off_loop, opened, signed_in

DELETE = "privacy:delete_account"


def leave(client: Client, password: str = PASSWORD, when: str = "now") -> Any:
    return client.post(reverse(DELETE), {"password": password, "when": when})


# --- The page -----------------------------------------------------------------------


@pytest.mark.django_db
class TestPage:
    def test_says_what_goes_what_stays_and_offers_the_file_first(self, client):
        client.force_login(will())
        page = client.get(reverse(DELETE)).content.decode()
        assert "What goes" in page and "What stays" in page and works().name.replace("'", "&#x27;") in page
        assert page.index(reverse("privacy:export")) < page.index("Delete it now, for good")
        assert User.objects.get(pk=will().pk).is_active

    def test_asks_for_the_password_once(self, client):
        client.force_login(alice())
        for password in ("", "not it"):
            answer = leave(client, password)
            assert answer.status_code == 422 and "errorlist" in answer.content.decode()
        assert User.objects.get(pk=alice().pk).is_active and not Erasure.objects.exists()
        assert target(leave(client)).startswith(reverse("privacy:account_deleted"))
        assert not User.objects.get(pk=alice().pk).is_active and Erasure.objects.get().user == alice()

    def test_ends_on_a_page_that_anybody_may_read_signed_out(self, client):
        client.force_login(alice())
        answer = client.post(reverse(DELETE), {"password": PASSWORD, "when": "now"}, follow=True)
        assert "Your account is deleted" in answer.content.decode()
        assert not answer.wsgi_request.user.is_authenticated
        assert target(client.get(reverse("chat:new"))).startswith("/account/login/")
        assert Client().get(reverse("privacy:account_deleted")).status_code == 200

    def test_somebody_elses_password_does_not_do(self, client):
        bob().set_password("another-fine-1")
        client.force_login(alice())
        assert leave(client, "another-fine-1").status_code == 422

    def test_guesses_are_counted(self, client):
        client.force_login(alice())
        answers = [leave(client, "not it") for _ in range(11)]
        assert "Too many failed" in answers[6].content.decode()
        assert answers[10].status_code == 429
        assert leave(client).status_code == 429 and User.objects.get(pk=alice().pk).is_active

    def test_an_account_without_a_password_gets_one_first(self, client):
        person = alice()
        person.set_unusable_password()
        person.save()
        client.force_login(person)
        assert reverse("account_set_password") in client.get(reverse(DELETE)).content.decode()
        for password in (PASSWORD, ""):
            leave(client, password)
        assert User.objects.get(pk=person.pk).is_active
        person.set_password("another-fine-1")
        person.save()
        client.force_login(person)
        assert leave(client, "another-fine-1").status_code == 302

    def test_whom_the_gate_stops_can_leave(self, client, move_clock):
        decided(alice(), Training.DENY)
        published()
        move_clock(days=31)
        client.force_login(alice())
        json = {"accept": "application/json"}
        assert client.post(reverse("chat:ask"), {"text": "Let me in"}, headers=json).status_code == 403
        assert reverse(DELETE) in client.get(reverse("privacy:choice")).content.decode()
        assert leave(client).status_code == 302

    def test_strangers_are_sent_to_sign_in(self, client):
        assert target(leave(client)).startswith("/account/login/")
        assert client.get(reverse(DELETE)).status_code == 302

    def test_twice_is_once(self, client):
        one, other = signed_in(alice()), signed_in(alice())
        assert leave(one).status_code == 302
        assert target(leave(other)).startswith("/account/login/")
        leaving.leave(user=alice())  # that had begun before
        assert Erasure.objects.count() == 1
        erasure.erase(alice().pk)
        assert Event.objects.filter(act=Act.ERASED).count() == 1


@pytest.mark.django_db
class TestOwner:
    def test_a_sole_owner_hands_over_first(self, client, settings):
        settings.CONTROLLER = {**settings.CONTROLLER, "contact": "care@parley.example"}
        works(), will()
        client.force_login(wendy())
        answer = leave(client)
        page = answer.content.decode()
        assert answer.status_code == 200 and "only owner" in page and "care@parley.example" in page
        assert "Delete it now, for good" not in page
        assert User.objects.get(pk=wendy().pk).is_active and not Erasure.objects.exists()
        with pytest.raises(SoleOwner) as refused:
            leaving.leave(user=wendy())
        assert refused.value.workspaces == [works().name]
        Membership.objects.filter(user=will()).update(role="owner")
        assert leave(client).status_code == 302
        erasure.erase(wendy().pk)
        assert set(Workspace.objects.get(kind="work").members.all()) == {will()}

    def test_whoever_works_alone_goes_with_what_they_wrote_there(self, client):
        alone = Workspace.objects.open_work(owner=alice(), name="Alice alone")
        conversation = asked_in(alice(), alone).conversation
        client.force_login(alice())
        assert "Alice alone" in client.get("/privacy/delete-account/").content.decode()
        erased(alice())
        assert not Conversation.objects.filter(pk=conversation.pk).exists()
        assert Tombstone.objects.filter(key=conversation.public_id).exists()

    def test_staff_hands_its_rights_over_first(self, client):
        client.force_login(stella())
        assert "belong to the staff" in leave(client).content.decode()
        with pytest.raises(StillStaff):
            leaving.leave(user=stella())
        assert User.objects.get(pk=stella().pk).is_active

    def test_an_owner_who_is_switched_off_is_none(self):
        works()
        Membership.objects.filter(user=will()).update(role="owner")
        User.objects.filter(pk=will().pk).update(is_active=False)
        with pytest.raises(SoleOwner):
            leaving.leave(user=wendy())

    def test_members_and_owners_of_nothing_but_home_may_go(self):
        for person in (will(), alice()):
            erased(person)
        assert not User.objects.filter(display_name__in=["Will", "Alice"]).exists()


# --- The fence ----------------------------------------------------------------------


@pytest.mark.django_db
class TestFence:
    def test_nobody_signs_in_or_goes_on_anywhere(self, client):
        other = signed_in(alice())
        leaving.leave(user=alice())
        assert target(other.get(reverse("chat:new"))).startswith("/account/login/")
        assert sign_in(client, alice().email).url == reverse("account_inactive")
        assert target(client.get(reverse("chat:new"))).startswith("/account/login/")

    def test_no_turn_begins_and_no_choice_lands(self):
        decided(alice(), Training.ALLOW)
        turn, person = answered(alice()), alice()
        leaving.leave(user=alice())
        events = Event.objects.count()
        with pytest.raises(NotFound):
            asked(person)
        with pytest.raises(NotFound):
            asked(person, within=turn.conversation)
        with pytest.raises(NotFound):
            decided(person, Training.DENY)
        assert Event.objects.count() == events

    def test_what_is_personal_is_hidden_and_trains_nothing_from_that_moment(self):
        decided(alice(), Training.ALLOW, keep_history=True)
        kept = answered(alice()).conversation
        Conversation.objects.filter(pk=kept.pk).update(kept=True)
        assert Conversation.objects.trainable(clock.now()).filter(pk=kept.pk).exists()
        bobs = decided(bob(), Training.ALLOW) and answered(bob()).conversation
        leaving.leave(user=alice())
        assert set(Conversation.objects.visible(clock.now())) == {bobs}
        assert set(Conversation.objects.trainable(clock.now())) == {bobs}
        row = Conversation.objects.get(pk=kept.pk)
        assert (row.tag_reason, row.purge_after) == ("deleted", row.deleted_at)

    def test_a_reminder_that_was_claimed_is_not_sent(self, move_clock):
        for person in (will(), wendy()):  # in one time zone: theirs is the same occasion
            decided(person, Training.DENY)
        published(deadline=timedelta(days=40))
        move_clock(days=38)
        for occasion in reminders._occasions(clock.now()):
            reminders._claim(occasion)
        assert Reminder.objects.count() == 2
        leaving.leave(user=will())
        reminders.remind()
        assert [message.to for message in mail.outbox] == [[wendy().email]]

    @pytest.mark.usefixtures("socket_sees_rows")
    def test_open_pages_are_told(self, django_capture_on_commit_callbacks):
        person = alice()

        def go() -> None:
            with django_capture_on_commit_callbacks(execute=True):
                leaving.leave(user=person)

        async def scene() -> int:
            async with opened(person) as socket:
                await off_loop(go)
                return await goodbye(socket)

        assert async_to_sync(scene)() == 4401

    def test_staff_who_switch_it_on_again_do_not_bring_it_back(self):
        decided(alice(), Training.DENY)
        answered(alice())
        leaving.leave(user=alice())
        User.objects.filter(pk=alice().pk).update(is_active=True)
        asked(alice(), "Am I back?")
        assert erasure.erase(alice().pk)
        assert not Conversation.objects.exists()

    def test_an_undo_that_comes_late_does_not_either(self):
        decided(alice(), Training.DENY)
        held, person = answered(alice()).conversation, alice()
        leaving.leave(user=alice())
        conversations.undelete(person, conversation=held.public_id)
        assert erasure.erase(person.pk)
        assert not Conversation.objects.exists()
