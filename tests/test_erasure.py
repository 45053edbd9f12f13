"""What is left of somebody who has left for good: nothing but evidence without them, and what belongs to others."""

import re
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.core.cache import cache
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts import clock
from accounts.models import Membership, User, Workspace
from chat import access
from chat.models import Conversation, Message
from chat.turns import conversations
from privacy import erasure, holdings, leaving, policy, scrub, standings, sweep
from privacy.evidence import tree
from privacy.models import Agreed, Erasure, Event, Standing, Subject, SweepRun, Tombstone
from privacy.signing import sign
from privacy.vocabulary import Act, Source, Training
from tests.account_pages import sign_up
from tests.leaving import CANARY, erased, found, in_sessions, settled
from tests.ledgers import bad
from tests.people import alice, bob, stella, wendy, will, works
from tests.scenes import answered, asked_in, decided
from tests.sockets import signed_in


@pytest.mark.django_db
class TestErasure:
    def test_nothing_of_the_person_is_found_anywhere(self):
        person = settled()
        link, words = Subject.objects.get(user=person).key, [person.email, "Fenwick", CANARY, str(person.public_id)]
        assert all(map(found, words)) and in_sessions(person), "they were never there: this test would prove nothing"
        assert LogEntry.objects.filter(object_repr__contains="Fenwick").exists()
        erased(person)
        assert [word for word in words if found(word)] == []
        assert in_sessions(person) == [] and not User.objects.filter(pk=person.pk).exists()
        assert not EmailAddress.objects.filter(email=person.email).exists()
        assert found(str(link)) == {"privacy_event.subject", "privacy_event.actor"}
        assert not Erasure.objects.exists()

    def test_nobody_else_loses_anything(self):
        decided(bob(), Training.ALLOW)
        answered(bob(), "Bob's own words")
        signed_in(bob())
        person = settled()
        models = [model for holding in holdings.all_holdings() for model in holding.models]
        before = {model: set(model._default_manager.values_list("pk", flat=True)) for model in models}
        erased(person)
        lost = {model: before[model] - set(model._default_manager.values_list("pk", flat=True)) for model in models}
        assert len(lost[User]) == len(lost[Workspace]) == len(lost[Standing]) == 1
        assert len(lost[Conversation]) == 1 and len(lost[Message]) == 2 and len(lost[Membership]) == 2
        assert in_sessions(bob()) and access.conversations_of(bob()).count() == 1
        assert works().memberships.filter(user=wendy()).exists()

    def test_conversations_go_by_the_sweeps_own_way(self):
        decided(alice(), Training.DENY, keep_history=True)
        keys = {answered(alice()).conversation.public_id for _ in range(3)}
        erased(alice())
        assert {(stone.key, stone.cause) for stone in Tombstone.objects.all()} == {(key, "deleted") for key in keys}
        event = Event.objects.get(act=Act.PURGED)
        assert event.detail["count"] == 3 and event.subject is None
        assert event.detail["root"] == sweep.root(list(Tombstone.objects.order_by("pk")))

    def test_it_does_not_do_the_sweeps_work_for_others(self, move_clock):
        decided(bob(), Training.DENY)
        conversations.delete(bob(), conversation=answered(bob()).conversation.public_id)
        move_clock(hours=25)
        erased(alice())
        assert Conversation.objects.count() == 1 and sweep.sweep().purged == 1

    def test_somebody_who_never_answered_leaves_the_end_and_its_certificate(self):
        erased(alice())
        assert [event.act for event in Event.objects.order_by("pk")] == ["erased", "erasure_certified"]

    def test_signing_up_again_with_the_same_address_makes_another_person(self, client):
        person = settled()
        key = Subject.objects.get(user=person).key
        erased(person)
        sign_up(client, email=person.email)
        again = User.objects.get(email=person.email)
        assert again.pk != person.pk and again.public_id != person.public_id
        decided(again, Training.DENY)
        assert Subject.objects.get(user=again).key != key
        assert not Event.objects.of(again).filter(act=Act.ERASED).exists()
        assert not access.conversations_of(again).exists()
        call_command("rebuild_standing", "--check")

    def test_every_holding_says_how_it_is_erased(self):
        """Held by more than its word: with a row in each model, none is left that points to the person."""
        settled()
        fields = [
            field
            for holding in holdings.all_holdings()
            for model in holding.models
            for field in model._meta.fields
            if field.related_model is User
        ]
        person = alice()
        empty = {str(field) for field in fields if not field.model._default_manager.filter(**{field.name: person})}
        assert empty <= {"privacy.Erasure.user", "admin.LogEntry.user", "privacy.Hold.user"}
        leaving.leave(user=person)
        for holding in holdings.all_holdings():
            list(holding.erase(person))
        sweep.sweep(of=person)
        left = {str(field) for field in fields if field.model._default_manager.filter(**{field.name: person})}
        # Those that go with the last steps, and the author of what stays at work.
        last = {"privacy.Deletion.user", "privacy.Erasure.user", "privacy.Standing.user", "privacy.Subject.user"}
        assert left == last | {"accounts.Workspace.personal_to", "chat.Conversation.author"}
        assert erasure.erase(person.pk)


def test_the_evidence_stays_and_verifies_without_the_person(committed):
    person = settled()
    key = Subject.objects.get(user=person).key
    before = list(Event.objects.filter(subject=key).order_by("pk").values_list("pk", "hash"))
    erased(person)
    after = list(Event.objects.filter(subject=key).order_by("pk"))
    assert [(event.pk, event.hash) for event in after][:-1] == before
    assert (after[-1].act, after[-1].previous) == ("erased", before[-1][1])
    assert set(after[-1].detail) == {"asked_at"} and after[-1].context == {} and after[-1].actor is None
    tree.build()
    assert bad() == []
    call_command("verify_ledger", verbosity=0)
    call_command("rebuild_standing", "--check")


@pytest.mark.django_db
class TestWork:
    def test_what_a_member_wrote_stays_under_the_agreement_and_loses_its_author(self):
        decided(will(), Training.ALLOW)
        held = self.written()
        erased(will())
        row = self.row(held)
        assert (row.author, row.workspace) == (None, works())
        assert [message.text for message in row.messages.all()] == ["What is due on Friday?", "The report."]
        assert {(message.author, message.request) for message in row.messages.all()} == {(None, None)}
        assert (row.tag_class, row.tag_reason, row.hidden_from) == ("agreement", "agreement", None)
        assert Conversation.objects.trusted().filter(pk=held.pk).exists()
        for person in (wendy(), bob()):
            assert not access.conversations_of(person).filter(pk=held.pk).exists()

    def test_its_tag_stays_what_the_policy_says_whatever_is_signed_afterwards(self, move_clock):
        """Its author's Allow adds nothing, an owner's does as to any other chat there, and ends as for any other."""
        decided(will(), Training.ALLOW)
        before = self.written()
        self.sign(training=True)
        held = self.written()
        erased(will())
        assert self.trains() == {held} and self.is_true(held) and self.is_true(before)
        self.sign(retention_days=90)
        assert self.trains() == set() and self.is_true(held) and self.is_true(before)
        move_clock(days=91)
        assert not Conversation.objects.visible(clock.now()).exists() and sweep.sweep().purged == 2

    def sign(self, **said: Any) -> None:
        """Wendy signs what is agreed on from now on."""
        terms = {"retention_days": None, "training": False, **said}
        in_force = Agreed.objects.filter(workspace=works()).values_list("agreement", flat=True).first()
        sign(owner=wendy(), workspace=works(), source=Source.SETTINGS, seen=in_force, **terms)

    def written(self) -> Conversation:
        """Will has asked at work, and has his answer."""
        turn = asked_in(will(), works(), "What is due on Friday?")
        Message.objects.filter(conversation=turn.conversation, role="user").update(request=uuid4())
        Message.objects.filter(pk=turn.answer.pk).update(state="complete", text="The report.")
        return turn.conversation

    def row(self, held: Conversation) -> Conversation:
        return Conversation.objects.select_related("workspace__agreed__agreement").get(pk=held.pk)

    def is_true(self, held: Conversation) -> bool:
        row, nobody = self.row(held), policy.Standing()
        schedule = standings.schedule_for(row.workspace, None)
        return row.tag == policy.verdict(row.facts(nobody), nobody, schedule)

    def trains(self) -> set[Conversation]:
        return set(Conversation.objects.trainable(clock.now()))

    def test_what_was_deleted_or_temporary_there_goes_when_it_is_due(self, move_clock):
        decided(will(), Training.DENY)
        deleted = asked_in(will(), works()).conversation
        conversations.delete(will(), conversation=deleted.public_id)
        erased(will())
        assert Conversation.objects.count() == 1 and sweep.sweep() is None
        move_clock(hours=25)
        assert sweep.sweep().purged == 1

    def test_nothing_personal_can_lose_its_author(self):
        decided(alice(), Training.ALLOW)
        answered(alice())
        with pytest.raises(IntegrityError), transaction.atomic():
            Conversation.objects.update(author=None)

    def test_staff_sees_what_nobody_wrote(self, client):
        asked_in(will(), works())
        erased(will())
        client.force_login(stella())
        for query in ({}, {"q": "will@parley.example"}):
            assert client.get(reverse("admin:chat_conversation_changelist"), query).status_code == 200
        row = Conversation.objects.get()
        assert client.get(reverse("admin:chat_conversation_change", args=[row.pk])).status_code == 200


@pytest.mark.django_db
class TestWhatMustStay:
    @pytest.mark.parametrize("why", ["held", "flagged"])
    def test_a_hold_or_a_review_keeps_the_chat_hidden_and_nameless_until_it_ends(self, why, move_clock):
        person = settled()
        held = access.conversations_of(person).get(workspace=person.personal_workspace)
        overlay = {"held": True} if why == "held" else {"flagged_at": clock.now()}
        Conversation.objects.filter(pk=held.pk).update(**overlay)
        leaving.leave(user=person)
        assert not erasure.erase(person.pk) and not erasure.erase(person.pk)
        assert Erasure.objects.get().remaining == ["conversations"]
        row = Conversation.objects.get(pk=held.pk)
        assert row.author_id == person.pk and row.hidden_from <= clock.now()
        assert [word for word in (person.email, "Fenwick", str(person.public_id)) if found(word)] == []
        assert not Subject.objects.filter(user=person).exists() and found(CANARY)
        assert Event.objects.filter(act=Act.ERASED).count() == 1
        sign_up(Client(), email=person.email)  # the address is free again
        call_command("rebuild_standing", "--check")
        move_clock(days=2 * 366)
        Conversation.objects.filter(pk=held.pk, held=True).update(held=False, purge_after=clock.now())
        assert erasure.erase(person.pk)
        assert not found(CANARY) and not User.objects.filter(pk=person.pk).exists()
        assert Event.objects.filter(act=Act.ERASED).count() == 1


# --- The bytes ------------------------------------------------------------------------


def test_every_table_that_holds_people_is_rewritten_afterwards(committed):
    decided(alice(), Training.DENY)
    erased(alice())
    assert SweepRun.objects.filter(erased=1).count() == 1
    people = {model._meta.db_table for holding in holdings.all_holdings() for model in holding.models}
    done: set[str] = set()
    for _ in range(50):  # the database's own housekeeping may look at the rows for a moment
        cache.delete(scrub.PAUSING)
        done |= set(scrub.scrub())
        if done == people:
            break
    assert done == people and {"accounts_user", "account_emailaddress", "privacy_notice", "django_session"} <= people


def test_a_sweep_rewrites_no_more_than_it_needs(committed, move_clock):
    decided(alice(), Training.DENY)
    answered(alice())
    move_clock(days=31)
    sweep.sweep()
    assert set(scrub.scrub()) <= {
        *("chat_conversation", "chat_message", "chat_feedback"),
        *("privacy_flag", "privacy_appeal"),
    }


@pytest.mark.django_db
def test_the_databases_statistics_hold_no_samples_of_people():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname || '.' || attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE attstattarget = 0 AND relkind = 'r'"
        )
        spared = {name for (name,) in cursor.fetchall()}
    assert {"accounts_user.email", "accounts_user.display_name", "account_emailaddress.email"} <= spared
    assert {"django_session.session_data", "django_admin_log.object_repr"} <= spared


def test_no_word_of_a_person_is_in_the_words_of_a_membership():
    workspace = Workspace(name="Works")
    said = str(Membership(pk=7, user=User(display_name="Quillon", email="q@example.org"), workspace=workspace))
    assert re.fullmatch(r"Member 7 of Works", said)
