"""Recording: chains hold whoever writes at once, nobody deadlocks, and where an act came from is never said plainly."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings as configuration
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from psycopg import sql

from accounts.models import User
from privacy import ledger
from privacy.evidence import context, entry, keys, tree, verification
from privacy.models import ContextSalt, Event, Subject
from privacy.tasks import drop_salts, grow_tree
from privacy.vocabulary import Act, Source, Training
from tests import database
from tests.people import alice, bob, charlie, stella
from tests.scenes import decided

ROOT = Path(__file__).resolve().parent.parent
SAYS = ("key", "subject", "actor", "act", "terms", "source", "at", "detail", "context", "previous")


def at_once(*acts: Callable[[], object]) -> list[BaseException]:
    """Do these at the same time, each over a connection of its own; returns what was raised."""
    together, raised = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        try:
            together.wait(10)
            act()
        except BaseException as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return raised


def whole() -> bool:
    """Whether every chain, hash and MAC is right."""
    return not [finding.bad for finding in verification.verify(show=lambda check, rows: None) if finding.bad]


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
        assert Event.objects.count() == 60 and whole()

    def test_people_who_act_about_each_other_wait_for_nobody_for_ever(self, committed):
        one, other = bob(), charlie()

        def act(subject: User, actor: User) -> Callable[[], None]:
            def acts() -> None:
                for _ in range(10):
                    ledger.record(Act.DEFERRED, source=Source.ADMIN, subject=subject, actor=actor)

            return acts

        assert at_once(act(one, other), act(other, one), act(one, one), act(other, other)) == []
        assert whole()

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


# --- Where an act came from -----------------------------------------------------------


@pytest.mark.django_db
class TestContext:
    def of(self, address: str = "192.0.2.7", agent: str = "Browser/1.0", **more: Any) -> dict[str, str]:
        return context.context_of(RequestFactory().get("/", REMOTE_ADDR=address, HTTP_USER_AGENT=agent, **more))

    def test_it_says_the_same_of_the_same_and_nothing_plainly(self):
        said = self.of()
        assert said == self.of() and set(said) == {"salt", "address", "agent"}
        assert said["address"] != self.of("192.0.2.8")["address"] and said["agent"] != self.of(agent="Other")["agent"]
        ledger.record(Act.DEFERRED, source=Source.PAGE, subject=alice(), context=said)
        assert "192.0.2.7" not in str(Event.objects.values().get()) and "Browser" not in str(
            Event.objects.values().get()
        )

    def test_of_ipv6_it_takes_the_network_that_a_home_is_given(self):
        assert self.of("2001:db8:1:2::7")["address"] == self.of("2001:db8:1:2:ffff::8")["address"]
        assert self.of("2001:db8:1:2::7")["address"] != self.of("2001:db8:1:3::7")["address"]
        assert self.of("::ffff:192.0.2.7")["address"] == self.of("192.0.2.7")["address"]

    def test_a_proxy_is_believed_only_where_the_settings_say_so(self, settings):
        forwarded = {"HTTP_X_FORWARDED_FOR": "198.51.100.9, 203.0.113.5"}
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 0
        assert self.of(**forwarded)["address"] == self.of()["address"]
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
        assert self.of(**forwarded)["address"] == self.of("203.0.113.5")["address"]

    @pytest.mark.parametrize("address", ["", "unknown", "/run/socket"])
    def test_an_address_that_cannot_be_told_is_left_out(self, address):
        assert set(self.of(address)) == {"salt", "agent"}
        assert set(self.of(address, agent="")) == {"salt"}

    def test_salts_change_and_are_forgotten(self, move_clock, settings):
        settings.LEDGER_SALT_DAYS = 30
        first = self.of()
        move_clock(days=29)
        assert self.of() == first
        move_clock(days=31)
        second = self.of()
        assert second["salt"] != first["salt"] and second["address"] != first["address"]
        context.drop_salts()
        assert ContextSalt.objects.count() == 2
        move_clock(days=61)
        context.drop_salts()
        assert [str(salt.pk) for salt in ContextSalt.objects.all()] == [second["salt"]]

    def test_it_costs_one_query(self):
        self.of()
        with CaptureQueriesContext(connection) as queries:
            self.of()
        assert len(queries) == 1


def test_a_dropped_salt_leaves_no_bytes(committed, move_clock):
    request = RequestFactory().get("/")
    context.context_of(request)
    move_clock(days=61)
    context.context_of(request)
    with database.owner() as owner:
        file = "SELECT pg_relation_filepath('privacy_contextsalt')"
        before = owner.execute(file).fetchone()
        drop_salts()
        assert owner.execute(file).fetchone() != before  # written anew
    assert ContextSalt.objects.count() == 1


def test_two_processes_make_one_salt(committed):
    assert at_once(*[context._salt] * 6) == []
    assert ContextSalt.objects.count() == 1


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


# --- An older ledger --------------------------------------------------------------


@pytest.fixture
def older() -> Iterator["psycopg.Connection"]:
    """A database as it was before events were chained, with two people's answers in it."""
    name = f"parley_test_older_{os.getpid()}"
    address = database._at(configuration.DATABASE_OWNER_URL, name)
    with psycopg.connect(configuration.DATABASE_OWNER_URL, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            migrated(address, "0004")
            with psycopg.connect(address, autocommit=True) as old:
                yield old
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def migrated(address: str, to: str = "") -> None:
    manage(address, "migrate", "privacy", *([to] if to else []), "-v0")


def manage(address: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=os.environ | {"DATABASE_URL": address, "DATABASE_OWNER_URL": address},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_events_recorded_before_are_chained_and_name_the_sealed_terms(older):
    old_digest = earlier_digest(older)
    subjects = [uuid4(), uuid4()]
    for subject in (subjects[0], None, subjects[1], subjects[0]):
        older.execute(
            "INSERT INTO privacy_event (subject, actor, act, terms, source, at, detail)"
            " VALUES (%s, %s, 'terms_accepted', %s, 'choice_page', now(), '{\"epoch\": 0}')",
            [subject, subject, old_digest],
        )
    migrated(address_of(older))
    assert older.execute("SELECT DISTINCT source FROM privacy_event").fetchall() == [("page",)]
    sealed = older.execute("SELECT digest FROM privacy_terms").fetchone()
    assert older.execute("SELECT DISTINCT terms FROM privacy_event").fetchall() == [sealed] != [(old_digest,)]
    rows = older.execute("SELECT subject, previous, hash FROM privacy_event ORDER BY id").fetchall()
    assert [previous for _, previous, _ in rows] == ["", "", "", rows[0][2]]
    assert "ok  events: 4" in manage(address_of(older), "verify_ledger")
    with pytest.raises(psycopg.errors.RestrictViolation):
        older.execute("UPDATE privacy_event SET act = 'x'")


def test_the_migration_goes_back_and_forth(older):
    migrated(address_of(older), "0006")
    migrated(address_of(older), "0005")
    guards = "SELECT count(*) FROM pg_trigger WHERE tgname IN ('salts_never_change', 'salts_go_one_by_one')"
    assert older.execute(guards).fetchone() == (0,)
    migrated(address_of(older))
    assert older.execute(guards).fetchone() == (2,)


def address_of(older: "psycopg.Connection") -> str:
    return database._at(configuration.DATABASE_OWNER_URL, older.info.dbname)


def earlier_digest(older: "psycopg.Connection") -> str:
    """The digest of the first terms as events named it then."""
    names = ("slug", "title", "summary", "body", "training_years", "standard_days", "temporary_hours", "deletion_hours")
    row = older.execute(f"SELECT {', '.join(names)} FROM privacy_terms").fetchone() or ()
    terms = SimpleNamespace(**dict(zip(names, row, strict=True)))
    return str(import_module("privacy.migrations.0006_chained_ledger")._earlier_digest(terms))
