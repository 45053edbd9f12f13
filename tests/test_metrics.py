"""`/metrics`: the figures of the sweep and of what waits, for monitoring, and for nobody else."""

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from accounts import clock
from chat.turns import conversations
from privacy import gauges, outbox, totals
from privacy import sweep as sweeping
from privacy.models import SweepRun, SweepTotal
from privacy.vocabulary import Training
from tests.people import alice, stella
from tests.scenes import answered, decided
from tests.test_breaker import three_expired

pytestmark = pytest.mark.django_db


def figures(client: Any, **headers: str) -> dict[str, float]:
    """What a scrape reads, `name` or `name{label}`, by Prometheus' own parser."""
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200 and response["Cache-Control"] == "no-store"
    families = text_string_to_metric_families(response.content.decode())
    return {
        sample.name + "".join(f"{{{value}}}" for value in sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


class TestFigures:
    def test_what_is_due_and_for_how_long(self, client, settings, move_clock):
        before = figures(client)
        assert before["parley_backlog{deleted}"] == before["parley_backlog{expired}"] == 0
        assert before["parley_oldest_overdue_seconds"] == 0
        three_expired(settings, move_clock)  # a day ago
        conversations.delete(alice(), conversation=answered(alice()).conversation.public_id)
        move_clock(days=33)
        found = figures(client)
        assert (found["parley_backlog{expired}"], found["parley_backlog{deleted}"]) == (3, 1)
        assert abs(found["parley_oldest_overdue_seconds"] - timedelta(days=3).total_seconds()) < 60

    def test_what_was_purged_and_that_staff_is_waited_for(self, client, settings, move_clock):
        three_expired(settings, move_clock)
        sweeping.sweep()
        found = figures(client)
        assert (found["parley_sweep_waits_for_staff"], found["parley_sweeps_stopped_total"]) == (1, 1)
        settings.SWEEP_LIMIT_COUNT = 10
        sweeping.sweep()
        found = figures(client)
        assert found["parley_purged_total{standard}"] == 3 and found["parley_purged_total{training}"] == 0
        assert found["parley_purged_rows_total"] == 9 and found["parley_purged_bytes_total"] > 0
        assert (found["parley_sweep_waits_for_staff"], found["parley_backlog{expired}"]) == (0, 0)
        assert found["parley_last_sweep_seconds"] < 60

    def test_what_waits_in_the_outbox(self, client, move_clock):
        assert figures(client)["parley_outbox_rows"] == 0
        outbox.write("journals", ["a", "b"])
        move_clock(hours=1)
        found = figures(client)
        assert found["parley_outbox_rows"] == 1 and 3600 <= found["parley_outbox_oldest_seconds"] < 3660

    def test_counting_ends_where_nobody_needs_to_know_more(self, client, settings, move_clock, monkeypatch):
        monkeypatch.setattr(gauges, "MOST", 2)
        three_expired(settings, move_clock)
        assert figures(client)["parley_backlog{expired}"] == 2

    def test_staff_reads_the_same_on_a_page(self, client, settings, move_clock):
        three_expired(settings, move_clock)
        address = "/admin/privacy/sweeprun/figures/"
        assert client.get(address).status_code == 302
        client.force_login(alice())
        assert client.get(address).status_code in (302, 403)
        client.force_login(stella())
        page = client.get(address).content.decode()
        for one in gauges.gauges():
            assert one.says in page
        assert "1\xa0day" in page
        assert address in client.get("/admin/privacy/sweeprun/").content.decode()


class TestTotals:
    def test_old_runs_are_added_up_once_and_nothing_is_lost(self, move_clock):
        for number in (1, 2):
            SweepRun.objects.create(purged=number, rows=10 * number, bytes=5, by_class={"standard": number})
        SweepRun.objects.create(stopped_by="many")
        SweepRun.objects.create(stopped_by="shutdown")
        found = totals.total()
        assert (dict(found.by_class), found.rows, found.bytes, found.stopped) == ({"standard": 3}, 30, 10, 1)
        move_clock(days=2)
        for _ in range(2):
            totals.fold(clock.now())
            assert vars(totals.total()) == vars(found)
        assert SweepTotal.objects.get().through == SweepRun.objects.latest("pk").pk
        SweepRun.objects.all().delete()
        SweepRun.objects.create(purged=1, rows=1, by_class={"training": 1})
        assert dict(totals.total().by_class) == {"standard": 3, "training": 1}

    def test_a_run_that_may_still_change_is_not_added_up(self, move_clock):
        run = SweepRun.objects.create(purged=1, rows=1, by_class={"standard": 1})
        totals.fold(clock.now())
        run.purged = run.by_class["standard"] = 2
        run.save()
        assert totals.total().by_class["standard"] == 2


class TestWhoMayRead:
    def test_this_machine_as_long_as_there_is_no_token_and_no_public_address(self, client, settings):
        assert client.get("/metrics").status_code == 200
        assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 404
        assert client.get("/metrics", REMOTE_ADDR="").status_code == 404
        assert client.get("/metrics", headers={"host": "rebound.example"}).status_code == 404
        for header in ("x-forwarded-for", "forwarded", "x-real-ip", "via"):
            assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 404, header
        settings.PUBLIC_ORIGIN = "https://parley.example"
        assert client.get("/metrics").status_code == 404

    def test_whoever_has_the_token_from_anywhere(self, client, settings):
        settings.METRICS_TOKEN = "correct horse"
        for wrong in ("", "Bearer", "Bearer wrong", "Basic correct horse", "correct horse"):
            assert client.get("/metrics", headers={"authorization": wrong}).status_code == 404, wrong
        assert client.get("/metrics", headers={"authorization": "Bearer schön"}).status_code == 404
        right = {"authorization": "Bearer correct horse", "x-forwarded-for": "192.0.2.7"}
        assert client.get("/metrics", headers=right, REMOTE_ADDR="192.0.2.9").status_code == 200

    def test_it_is_read_and_nothing_else(self, client):
        assert client.post("/metrics").status_code == 405

    def test_it_costs_the_same_few_queries_however_much_there_is(self, client, django_assert_max_num_queries):
        decided(alice(), Training.DENY)
        for _ in range(3):
            answered(alice())
        with django_assert_max_num_queries(15):
            figures(client)
