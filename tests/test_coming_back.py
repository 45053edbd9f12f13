"""Whoever has deleted their account may come back for some days, and then no more; at no moment does it train."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import clock
from accounts.models import User
from chat.models import Conversation
from chat.turns import conversations
from privacy import certificates, checking, erasure, flagging, holds, leaving, letters, sweep, tasks
from privacy.canonical import digest
from privacy.errors import TooLate
from privacy.models import AccountCertificate, Erasure, Event
from privacy.vocabulary import Act, Training
from tests import many
from tests.account_pages import sign_in, target
from tests.people import PASSWORD, alice, bob, stella
from tests.scenes import answered, asked_in, decided
from tests.test_certificates import holds as proves
from tests.test_certificates import sealed


def leave(client: Client, when: str = "later") -> Any:
    client.force_login(alice())
    return client.post(reverse("privacy:delete_account"), {"password": PASSWORD, "when": when}, follow=True)


def facts() -> list[dict[str, Any]]:
    return list(Conversation.objects.order_by("pk").values("pk", "deleted_at", "held", *Conversation.TAG))


@pytest.mark.django_db
class TestComingBack:
    def test_everything_is_as_it_was(self, client):
        decided(alice(), Training.ALLOW)
        many.conversations(alice())
        conversations.delete(alice(), conversation=answered(alice()).conversation.public_id)
        before = facts()
        page = leave(client).content.decode()
        assert "is going to be deleted" in page and not User.objects.get(pk=alice().pk).is_active
        assert not Conversation.objects.visible(clock.now()).exists()
        assert not Conversation.objects.trainable(clock.now()).exists()
        assert checking.check().drifted == 0
        assert sign_in(client, alice().email).url == reverse("privacy:leaving")
        assert target(client.get(reverse("chat:new"))).startswith("/account/login/")  # not signed in by that
        assert "Keep my account" in client.get(reverse("privacy:leaving")).content.decode()
        assert target(client.post(reverse("privacy:leaving"), {"act": "stay"})) == reverse("chat:new")
        assert client.get(reverse("privacy:settings")).status_code == 200
        assert facts() == before and not Erasure.objects.exists()
        assert checking.check().drifted == 0 and checking.check(slow=True).drifted == 0
        acts = Event.objects.of(alice()).values_list("act", flat=True)
        assert list(acts)[:2] == [Act.STAYED, Act.LEAVING]

    def test_without_the_password_nobody_does(self, client):
        leave(client)
        assert sign_in(client, alice().email, "not it").status_code == 200
        for method in (client.get, client.post):
            assert target(method(reverse("privacy:leaving"))) == reverse("account_login")
        assert Erasure.objects.exists()

    def test_a_password_lasts_a_quarter_of_an_hour(self, client, move_clock):
        leave(client)
        sign_in(client, alice().email)
        move_clock(minutes=16)
        assert target(client.post(reverse("privacy:leaving"), {"act": "stay"})) == reverse("account_login")
        assert Erasure.objects.exists()

    def test_only_for_so_many_days(self, client, move_clock, settings):
        decided(alice(), Training.DENY)
        answered(alice())
        leave(client)
        move_clock(days=settings.ACCOUNT_GRACE_DAYS, seconds=-60)
        tasks.erase_the_rest()
        assert not erasure.erase(alice().pk) and sweep.sweep() is None and Conversation.objects.exists()
        sign_in(client, alice().email)
        move_clock(days=settings.ACCOUNT_GRACE_DAYS, seconds=1)
        assert target(client.post(reverse("privacy:leaving"), {"act": "stay"})) == reverse("account_login")
        with pytest.raises(TooLate):
            leaving.stay(alice())
        assert erasure.erase(alice().pk) and not Conversation.objects.exists()
        assert not User.objects.filter(display_name="Alice").exists()

    def test_nor_after_asking_not_to_wait(self, client):
        decided(alice(), Training.DENY)
        answered(alice())
        leave(client)
        sign_in(client, alice().email)
        assert client.post(reverse("privacy:leaving"), {"act": "what"}).status_code == 422
        answer = client.post(reverse("privacy:leaving"), {"act": "now"}, follow=True)
        assert "Your account is deleted" in answer.content.decode()
        with pytest.raises(TooLate):
            leaving.stay(alice())
        assert erasure.erase(alice().pk) and not Conversation.objects.exists()

    def test_what_they_deleted_before_goes_at_its_own_time(self, client, move_clock):
        decided(alice(), Training.DENY)
        conversations.delete(alice(), conversation=answered(alice()).conversation.public_id)
        kept = answered(alice()).conversation
        move_clock(minutes=5)
        leave(client)
        move_clock(hours=25)
        sweep.sweep()
        assert list(Conversation.objects.values_list("pk", flat=True)) == [kept.pk]
        leaving.stay(alice())
        assert list(Conversation.objects.visible(clock.now())) == [kept]

    def test_a_hold_that_is_released_meanwhile_purges_nothing_early(self, client, move_clock):
        decided(alice(), Training.DENY)
        answered(alice())
        hold = holds.place(alice(), "A claim", by=stella())
        leave(client)
        move_clock(days=2)
        holds.release(hold, "It is settled", by=stella())
        sweep.sweep()
        assert Conversation.objects.exists()
        leaving.stay(alice())
        assert Conversation.objects.visible(clock.now()).exists()

    def test_a_review_that_begins_meanwhile_is_told_when_they_are_back(self, client):
        decided(alice(), Training.DENY)
        chat = answered(alice()).conversation
        leave(client)
        flagging.flag(chat, reason="A threat", told="We read it again.", by=stella())
        assert [letter.to for letter in mail.outbox] == [] and letters.send() == 1  # that the account is to go
        leaving.stay(alice())
        assert letters.send() == 1 and "safety review" in mail.outbox[-1].body
        assert Conversation.objects.visible(clock.now()).filter(pk=chat.pk, flagged_at__isnull=False).exists()
        assert checking.check().drifted == 0

    def test_is_written_to_the_person_with_the_address_of_the_certificate(self, client):
        leave(client)
        assert letters.send() == 1 and letters.send() == 0
        (letter,) = mail.outbox
        assert letter.to == [alice().email] and str(Erasure.objects.get().certificate) in letter.body
        assert "/account/login/" in letter.body

    def test_with_no_days_there_is_no_way_back(self, client, settings):
        settings.ACCOUNT_GRACE_DAYS = 0
        page = leave(client).content.decode()
        assert "Your account is deleted" in page
        assert sign_in(client, alice().email).url == reverse("account_inactive")


def certificate_of(page: Any) -> UUID:
    return UUID(page.redirect_chain[-1][0].split("certificate=")[1])


class TestCertificateOfAnAccount:
    def test_says_what_went_and_is_bound_by_the_ledger(self, committed, client):
        decided(alice(), Training.ALLOW)
        for _ in range(3):
            answered(alice())
        asked_in(alice(), alice().personal_workspace, "One more")
        key = certificate_of(leave(client, "now"))
        assert "parts are gone" in client.get(reverse("privacy:certificate", args=[key])).content.decode()
        assert erasure.erase(alice().pk)
        sealed()
        said = json.loads(client.get(reverse("privacy:certificate_document", args=[key])).content)
        counts = {store["name"]: store["count"] for store in said["stores"]}
        assert counts["chat.conversation"] == 4 and counts["messages"] == 8 and counts["journals"] == 4
        assert counts["account"] >= 3
        written = {name: value for name, value in said.items() if name != "proof"}
        assert said["proof"]["event"]["detail"] == {"certificate": digest(written)}
        row = AccountCertificate.objects.get()
        assert alice().email not in json.dumps(said) and str(alice().public_id) not in json.dumps(row.said)
        assert "is gone from every place" in client.get(reverse("privacy:certificate", args=[key])).content.decode()

    def test_says_while_something_has_to_stay(self, committed, client):
        decided(bob(), Training.DENY)
        row = answered(bob()).conversation
        holds.place(row, "A claim", by=stella())
        begun = leaving.leave(user=bob())
        assert begun and not erasure.erase(bob().pk)
        found = certificates.find(begun.certificate)
        assert found and found.document is None and found.parts and found.parts[0] < found.parts[1]


def test_a_certificate_of_a_conversation_is_still_what_it_was(committed, move_clock):
    """The helper of the other file proves an account's chats too: their tombstones are the sweep's."""
    decided(alice(), Training.DENY)
    key = answered(alice()).conversation.public_id
    leaving.leave(user=alice())
    assert erasure.erase(alice().pk)
    sealed()
    found = certificates.find(key)
    assert found and found.document and proves(found.document)
    assert found.purged_at and found.purged_at - clock.now() < timedelta(minutes=1)
