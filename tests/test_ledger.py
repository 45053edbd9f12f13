"""Recording: chains hold whoever writes at once, nobody deadlocks, and the database refuses every change."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest
from django.conf import settings as configuration
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from privacy import ledger
from privacy.evidence import entry, keys, tree
from privacy.models import ContextSalt, Event, Subject
from privacy.tasks import grow_tree
from privacy.vocabulary import Act, Source, Training
from tests import database
from tests.ledgers import bad
from tests.people import alice, bob, charlie, stella
from tests.scenes import decided
from tests.threads import at_once

SAYS = ("key", "subject", "actor", "act", "terms", "source", "at", "detail", "context", "previous")


# --- Recording --------------------------------------------------------------------


@pytest.mark.django_db
class TestRecording:
    def test_an_event_is_bound_to_the_one_before_and_to_the_key(self):
        decided(alice(), Training.DENY)
        first, second = Event.objects.order_by("pk")
        assert (first.previous, second.previous) == ("", first.hash)
        said = entry.said(**{name: getattr(second, name) for name in SAYS})
        assert second.hash == entry.hash_of(said)
        assert (second.mac_key, second.mac) == (keys.mac_key()[0], entry.mac_of(second.hash, keys.mac_key()[1]))

    def test_the_key_is_nowhere_in_the_database(self):
        decided(alice(), Training.DENY)
        tree.build()
        secrets = [configuration.LEDGER_MAC_KEY, configuration.LEDGER_SIGNING_KEY]
        with connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for (table,) in cursor.fetchall():
                cursor.execute(f"SELECT coalesce(string_agg(row::text, ' '), '') FROM \"{table}\" AS row")
                text = cursor.fetchone()[0]
                assert not [secret for secret in secrets if secret in text], table

    def test_a_chain_is_of_one_person(self):
        for person in (alice(), bob()):
            decided(person, Training.DENY)
        assert list(Event.objects.filter(previous="").values_list("act", flat=True)) == ["terms_accepted"] * 2

    @pytest.mark.parametrize(("known", "statements"), [(True, 3), (False, 5)])
    def test_it_takes_few_statements_however_many_events(self, known, statements):
        people = {"subject": alice(), "actor": stella()}
        if known:
            ledger.record(Act.DEFERRED, source=Source.PAGE, **people)
        for number in (1, 20):
            with transaction.atomic(), CaptureQueriesContext(connection) as queries:
                ledger.record_all([ledger.Entry(Act.DEFERRED)] * number, source=Source.PAGE, **people)
            asked = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
            assert len(asked) == statements
            statements = 3
        assert {event.actor for event in Event.objects.all()} == {Subject.objects.get(user=stella()).key}

    def test_nothing_is_left_of_an_act_that_failed(self):
        with pytest.raises(RuntimeError), transaction.atomic():
            ledger.record(Act.DEFERRED, source=Source.PAGE, subject=alice())
            raise RuntimeError
        assert not Event.objects.exists() and not Subject.objects.exists()

    @pytest.mark.parametrize("strange", [0.5, {1: "x"}, {"x": {1.5}}, datetime.now(UTC)])
    def test_what_has_no_one_form_is_refused(self, strange):
        with pytest.raises(TypeError):
            ledger.record(Act.DEFERRED, source=Source.PAGE, detail={"strange": strange})


class TestAtOnce:
    def test_acts_about_one_person_line_up(self, committed):
        person = alice()  # the ledger does not know them yet

        def act() -> None:
            for _ in range(5):
                ledger.record_all([ledger.Entry(Act.DEFERRED)] * 2, source=Source.PAGE, subject=person, actor=person)

        assert at_once(*[act] * 6) == []
        assert Event.objects.count() == 60 and bad() == []

    def test_people_who_act_about_each_other_wait_for_nobody_for_ever(self, committed):
        one, other = bob(), charlie()

        def act(subject: User, actor: User) -> Callable[[], None]:
            def acts() -> None:
                for _ in range(10):
                    ledger.record(Act.DEFERRED, source=Source.ADMIN, subject=subject, actor=actor)

            return acts

        assert at_once(act(one, other), act(other, one), act(one, one), act(other, other)) == []
        assert bad() == []

    @pytest.mark.parametrize("turn", range(5))
    def test_both_links_made_on_the_fly_by_both(self, committed, turn):
        one, other = bob(), charlie()
        acts = [
            lambda: ledger.record(Act.DEFERRED, source=Source.ADMIN, subject=one, actor=other),
            lambda: ledger.record(Act.DEFERRED, source=Source.ADMIN, subject=other, actor=one),
        ]
        assert at_once(*acts) == []
        assert Event.objects.count() == Subject.objects.count() == 2

    def test_acts_about_different_people_do_not_wait_for_each_other(self, committed):
        alice_is_written, bob_is_written = threading.Event(), threading.Event()
        people = alice(), bob()

        def slow() -> None:
            with transaction.atomic():
                ledger.record(Act.DEFERRED, source=Source.PAGE, subject=people[0])
                alice_is_written.set()
                assert bob_is_written.wait(10)

        def quick() -> None:
            assert alice_is_written.wait(10)
            ledger.record(Act.DEFERRED, source=Source.PAGE, subject=people[1])
            bob_is_written.set()

        assert at_once(slow, quick) == []


# --- What the database refuses ------------------------------------------------------

TABLES = ("leaf", "treenode", "treehead", "ledgerkey")


@pytest.mark.django_db
class TestRefused:
    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
    def test_the_application_is_not_even_granted_it(self, table, verb):
        with connection.cursor() as cursor:
            cursor.execute("SELECT has_table_privilege(%s, %s)", [f"privacy_{table}", verb])
            assert cursor.fetchone() == (False,)

    def test_a_salt_can_be_forgotten_and_not_changed(self):
        ContextSalt.objects.create(salt=b"x" * 32)
        for attack in ("UPDATE privacy_contextsalt SET salt = 'y'", "TRUNCATE privacy_contextsalt"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(attack)
        assert ContextSalt.objects.all().delete()[0] == 1


def test_the_owner_is_refused_too(committed):
    decided(alice(), Training.DENY)
    tree.build()
    ContextSalt.objects.create(salt=b"x" * 32)
    ledger.record_all([ledger.Entry(Act.PURGED)] * 2, source=Source.SWEEP)
    tree.build()
    with database.owner() as owner:
        for table in TABLES:
            column = {"leaf": "hash", "treenode": "hash", "treehead": "root", "ledgerkey": "public"}[table]
            for attack in (f"UPDATE privacy_{table} SET {column} = 'x'", f"DELETE FROM privacy_{table}"):
                with pytest.raises(psycopg.errors.RestrictViolation):
                    owner.execute(attack)
            with pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(f"TRUNCATE privacy_{table} CASCADE")
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute("UPDATE privacy_contextsalt SET salt = 'y'")


# --- Staff ----------------------------------------------------------------------


@pytest.mark.django_db
class TestStaff:
    def test_an_event_is_shown_with_its_chain_and_its_proof(self, client):
        decided(alice(), Training.DENY, keep_history=True)
        client.force_login(stella())
        first, second, third = Event.objects.order_by("pk")
        page = client.get(reverse("admin:privacy_event_change", args=[second.pk])).content.decode()
        assert "none yet" in page
        grow_tree()
        page = client.get(reverse("admin:privacy_event_change", args=[second.pk])).content.decode()
        for other in (first, third):
            assert reverse("admin:privacy_event_change", args=[other.pk]) in page
        assert second.hash in page and tree.proof_of(second).path[0] in page
        assert "&quot;epoch&quot;: 0" in page and 'name="_save"' not in page

    @pytest.mark.parametrize("model", ["event", "leaf", "treehead", "ledgerkey"])
    def test_lists_are_looked_at_and_found_in(self, client, model):
        decided(alice(), Training.DENY)
        tree.build()
        client.force_login(stella())
        address = reverse(f"admin:privacy_{model}_changelist")
        for query in ("", "?q=1", "?q=x", "?q=%00"):
            assert client.get(address + query).status_code == 200
        assert client.get(reverse("admin:privacy_event_changelist") + "?act__exact=training_denied").status_code == 200
        assert client.post(reverse(f"admin:privacy_{model}_add")).status_code == 403
