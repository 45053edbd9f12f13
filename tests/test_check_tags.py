"""`check_tags` finds whatever a tag says wrongly, in whichever column, and nothing where all is right."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import F

from accounts import clock
from chat.models import Conversation
from privacy import checking, everybody, flagging, holds, retagging, tasks
from privacy.models import Event, Retagging, TagCheck
from privacy.vocabulary import Act, Training
from tests import many
from tests.people import alice, bob, stella, wendy, will, works
from tests.scenes import decided

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def everything() -> None:
    """Conversations of every sort, of people with either answer and at work, some held."""
    decided(alice(), Training.ALLOW)
    decided(bob(), Training.DENY, keep_history=True)
    for user, place in ((alice(), None), (bob(), None), (will(), works()), (wendy(), works())):
        many.conversations(user, place)
    holds.place(will(), "Claim", by=stella())


def ordinary(**more: Any) -> Any:
    """Conversations of Alice's whose end is to come, kept by nobody and deleted by nobody."""
    facts: dict[str, Any] = {"temporary": False, "kept": False, "deleted_at": None, "hidden_from__gt": clock.now()}
    return Conversation.objects.filter(author=alice(), **facts | more)


SABOTAGE = {
    "tag_class": {"tag_class": "kept"},
    "tag_reason": {"tag_reason": "denied"},
    "tag_epoch": {"tag_epoch": F("tag_epoch") + 1},
    "trains_until": {"trains_until": F("trains_until") + HOUR},
    "trains_until, lost": {"trains_until": None},
    "hidden_from": {"hidden_from": F("hidden_from") - HOUR},
    "hidden_from, lost": {"hidden_from": None},
    "hidden_from, past": {"hidden_from": F("last_activity_at") + timedelta(minutes=1)},
    "purge_after": {"purge_after": F("purge_after") + HOUR},
    "purge_after, lost": {"purge_after": None},
    "held": {"held": True},
    "flagged_at": {"flagged_at": F("begun_at")},
}


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("sort", SABOTAGE)
def test_each_column_is_compared(sort, slow):
    assert checking.check(slow=slow).drifted == 0
    spoilt = ordinary(trains_until__isnull=False).order_by("begun_at").first()
    Conversation.objects.filter(pk=spoilt.pk).update(**SABOTAGE[sort])
    found = checking.check(slow=slow)
    assert found.drifted == 1 and sort.split(",")[0] in found.by_column
    assert [one["key"] for one in found.examples] == [str(spoilt.public_id)]
    assert checking.check(slow=not slow).by_column == found.by_column


@pytest.mark.parametrize("sort", SABOTAGE)
def test_repairing_makes_it_what_it_was(sort):
    columns = ["pk", "held", "flagged_at", "grace_until", *Conversation.TAG]
    before = list(Conversation.objects.order_by("pk").values(*columns))
    Conversation.objects.filter(pk=ordinary(trains_until__isnull=False).first().pk).update(**SABOTAGE[sort])
    with pytest.raises(CommandError):
        call_command("check_tags")
    assert list(Conversation.objects.order_by("pk").values(*columns)) != before  # it only looks
    call_command("check_tags", "--repair", "A mistake by hand")
    after = list(Conversation.objects.order_by("pk").values(*columns))
    for one, other in zip(before, after, strict=True):
        one.pop("grace_until"), other.pop("grace_until")
    assert after == before
    call_command("check_tags", "--slow")
    asked, done = Event.objects.filter(act__in=[Act.RETAG_ASKED, Act.RETAGGED]).order_by("pk")
    assert asked.detail["reason"] == "A mistake by hand" and done.detail["changed"] == 1


@pytest.mark.parametrize("slow", [False, True])
def test_a_tag_that_knows_nothing_of_its_review_has_drifted(slow):
    row = ordinary(trains_until__isnull=False).first()
    raised = flagging.flag(row, reason="Somebody is threatened", told="We read it again.", by=stella())
    assert checking.check(slow=slow).drifted == 0
    Conversation.objects.filter(pk=row.pk).update(flagged_at=None)
    assert "flagged_at" in checking.check(slow=slow).by_column
    call_command("check_tags", "--repair", "A mistake by hand")
    row.refresh_from_db()
    assert row.flagged_at == raised.flagged_at and row.tag_reason == "flagged" and not row.trains_until


def test_of_very_many_the_first_few_are_named_and_all_are_counted(monkeypatch):
    monkeypatch.setattr(checking, "EXAMPLES", 2)
    some = ordinary(trains_until__isnull=False)
    count = some.update(trains_until=None)
    found = checking.check(chunk=5)
    assert count > 2 and found.drifted == count and len(found.examples) == 2
    assert found.by_reason == {"training, allowed": count} and found.checked == Conversation.objects.count()


def test_what_waits_for_its_re_tag_has_not_drifted(settings):
    settings.RETAG_AT_ONCE = 3
    decided(alice(), Training.DENY)
    found = checking.check()
    assert (found.drifted, found.waiting) == (0, 16)
    many.carry_on()
    found = checking.check()
    assert (found.drifted, found.waiting) == (0, 0)


def test_the_night_looks_and_repairs_nothing():
    ordinary(trains_until__isnull=False).update(trains_until=None)
    tasks.check_tags()
    assert TagCheck.objects.get().drifted > 0 and ordinary(trains_until__isnull=True).exists()
    assert not Retagging.objects.exists()


class TestEverybody:
    def test_staff_has_it_done_for_a_reason_and_sees_how_far_it_is(self, client, monkeypatch):
        monkeypatch.setattr(retagging, "queue", lambda _pk: None)
        ordinary(trains_until__isnull=False).update(trains_until=None)
        address = "/admin/privacy/retagging/everybody/"
        client.force_login(stella())
        assert address in client.get("/admin/privacy/retagging/").content.decode()
        for lacking in ({"reason": "", "confirmed": "on"}, {"reason": "Drift"}):
            assert client.post(address, lacking).status_code == 422
        assert not Retagging.objects.exists()
        said = {"reason": "Drift of last night", "confirmed": "on"}
        for _ in range(2):  # twice is once
            assert client.post(address, said).status_code == 302
        step = Retagging.objects.get()
        assert "0 / 64 (0 %)" in client.get("/admin/privacy/retagging/").content.decode()
        assert retagging.work(step.pk)
        assert "64 / 64 (100 %)" in client.get("/admin/privacy/retagging/").content.decode()
        assert checking.check().drifted == 0
        event = Event.objects.get(act=Act.RETAG_ASKED)
        assert event.detail["reason"] == "Drift of last night" and event.actor

    def test_nobody_without_the_permission(self, client):
        client.force_login(alice())
        assert client.post("/admin/privacy/retagging/everybody/", {"reason": "x", "confirmed": "on"}).status_code in (
            302,
            403,
        )
        assert not Retagging.objects.exists()

    def test_killed_it_goes_on_behind_the_last_whole_chunk(self, monkeypatch):
        monkeypatch.setattr(everybody, "CHUNK", 20)
        ordinary(trains_until__isnull=False).update(trains_until=None)
        step = everybody.ask("Drift", queued=False)
        told = iter([False, False, True])
        assert not retagging.work(step.pk, stopping=lambda: next(told))
        step.refresh_from_db()
        assert step.done == 40 and not step.finished_at
        assert retagging.work(step.pk) and checking.check().drifted == 0
        step.refresh_from_db()
        assert step.done == step.total == 64

    def test_no_end_comes_nearer_than_thirty_days_by_it(self):
        one = ordinary(trains_until__isnull=False).order_by("begun_at").last()
        Conversation.objects.filter(pk=one.pk).update(
            last_activity_at=clock.now() - timedelta(days=5 * 366 - 4), trains_until=None, hidden_from=None
        )
        call_command("check_tags", "--repair", "The last activity was wrong")
        one.refresh_from_db()
        assert one.hidden_from >= clock.now() + timedelta(days=30) - HOUR
