"""Evidence outlives: the ledger is refused to everybody who would change it, and knows numbers instead of people."""

from importlib import import_module
from uuid import uuid4

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from privacy.models import Event, Subject, Terms, Tombstone
from privacy.vocabulary import Training
from tests import database
from tests.people import alice, bob
from tests.scenes import decided


@pytest.mark.django_db
class TestEvidence:
    @pytest.mark.parametrize(
        "attack",
        [
            "UPDATE privacy_event SET act = 'training_allowed'",
            "DELETE FROM privacy_event",
            "TRUNCATE privacy_event CASCADE",
            "UPDATE privacy_tombstone SET cause = 'expired'",
            "UPDATE privacy_terms SET body = 'other'",
            "UPDATE privacy_terms SET deadline = now()",
            "DELETE FROM privacy_terms WHERE slug = '1'",
            "UPDATE privacy_subject SET key = gen_random_uuid()",
            "UPDATE privacy_subject SET user_id = user_id",
            "TRUNCATE privacy_subject",
            "ALTER TABLE privacy_event DISABLE TRIGGER ALL",
            "SET session_replication_role = replica",
        ],
    )
    def test_the_application_cannot_change_it(self, attack):
        decided(alice(), Training.DENY)
        Tombstone.objects.create(kind="x", key=uuid4(), retention_class="standard", cause="deleted")
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attack)
            # An UPDATE that touches no row fires no row trigger: none of these may pass.
            pytest.fail(f"not refused: {attack}")

    def test_it_speaks_of_a_number_and_not_of_a_person(self):
        decided(alice(), Training.DENY)
        event = Event.objects.of(alice()).first()
        assert event.subject == Subject.objects.get(user=alice()).key != alice().public_id
        assert event.terms == Terms.objects.get(slug="1").digest


def test_the_owner_is_refused_too(committed):
    decided(alice(), Training.DENY)
    with database.owner() as owner:
        for attack in (
            *("UPDATE privacy_event SET act = 'x'", "DELETE FROM privacy_event", "TRUNCATE privacy_event CASCADE"),
            "UPDATE privacy_subject SET key = gen_random_uuid()",
        ):
            with pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(attack)


@pytest.mark.django_db
def test_the_application_owns_no_table_and_is_no_superuser():
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db
def test_a_link_is_dropped_but_never_given_to_somebody_else():
    decided(alice(), Training.DENY)
    key = Subject.objects.get(user=alice()).key
    Subject.objects.filter(user=alice()).delete()
    assert Event.objects.filter(subject=key).exists() and not Event.objects.of(alice()).exists()
    for person in (bob(), alice()):
        with pytest.raises(DatabaseError, match="there is evidence under this key"), transaction.atomic():
            Subject.objects.create(user=person, key=key)
    decided(bob(), Training.DENY)
    assert Event.objects.of(bob()).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "granted"),
    [
        ("privacy_event", {"SELECT", "INSERT"}),
        ("privacy_tombstone", {"SELECT", "INSERT"}),
        ("privacy_subject", {"SELECT", "INSERT", "DELETE"}),
    ],
)
def test_the_application_is_not_even_granted_what_the_triggers_refuse(table, granted):
    verbs = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT verb FROM unnest(%s::text[]) AS verb WHERE has_table_privilege(%s, verb)", [verbs, table]
        )
        assert {verb for (verb,) in cursor.fetchall()} == granted


@pytest.mark.django_db
def test_going_back_and_forward_finds_the_first_terms_where_they_were():
    first_terms = import_module("privacy.migrations.0003_first_terms")
    before = Terms.objects.get(slug=first_terms.SLUG)
    first_terms.keep(apps, None)
    first_terms.publish(apps, None)
    assert Terms.objects.get() == before
