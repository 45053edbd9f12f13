"""Where an act came from is never said plainly, and in the end cannot be told at all."""

from typing import Any

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from privacy import ledger
from privacy.evidence import context
from privacy.models import ContextSalt, Event
from privacy.tasks import drop_salts
from privacy.vocabulary import Act, Source
from tests import database
from tests.people import alice
from tests.threads import at_once


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
