"""A restored backup brings nothing back: not what was deleted or erased, no permission, and no end of a hold."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client

from accounts import clock
from accounts.models import User
from chat.models import Conversation
from chat.turns import conversations
from privacy import checking, deleting, erasure, flagging, holds, leaving, sweep, tasks
from privacy.evidence import tree
from privacy.guard import log, watch
from privacy.models import Erasure, GuardEntry, Hold, Standing
from privacy.selection import Selection
from privacy.signing import sign
from privacy.vocabulary import Source, Training
from tests import database
from tests.ledgers import bad
from tests.people import alice, bob, charlie, stella, wendy, will, works
from tests.scenes import answered, asked_in, decided
from tests.threads import at_once


def kinds() -> list[str]:
    """What is in the log, in its order."""
    tasks.log_deletions()
    return [line.kind for line in log.lines()]


def replayed() -> str:
    said = StringIO()
    with watch.off():
        call_command("replay_erasures", stdout=said)
    return said.getvalue()


class TestEveryDoor:
    """Triggers see whatever the doors decide, the ORM's own way too."""

    def test_deleting_one_and_taking_it_back(self, committed):
        decided(alice(), Training.DENY)
        key = answered(alice()).conversation.public_id
        conversations.delete(alice(), conversation=key)
        conversations.undelete(alice(), conversation=key)
        assert kinds() == ["answered", "deleted", "restored"]

    def test_deleting_several(self, committed):
        decided(alice(), Training.DENY)
        for _ in range(3):
            answered(alice())
        _, at = deleting.delete(Selection(alice()))
        assert deleting.undelete(alice(), at=at) == 3
        assert kinds() == ["answered", *["deleted"] * 3, *["restored"] * 3]

    def test_a_purge_and_what_expires(self, committed, move_clock):
        decided(alice(), Training.DENY)
        keys = {str(answered(alice()).conversation.public_id) for _ in range(2)}
        move_clock(days=31)
        sweep.sweep()
        tasks.log_deletions()
        last = list(log.lines())[-1]
        assert last.kind == "purged" and set(last.said["keys"]) == keys

    def test_leaving_staying_and_being_erased(self, committed):
        leaving.leave(user=alice(), days=7)
        leaving.stay(alice())
        leaving.leave(user=alice())
        erasure.erase(alice().pk)
        assert kinds() == ["leaving", "stayed", "leaving", "erased"]

    def test_answers_agreements_and_holds(self, committed):
        decided(alice(), Training.ALLOW)
        decided(alice(), Training.DENY)
        said = {"retention_days": None, "source": Source.SETTINGS}
        first = sign(owner=wendy(), workspace=works(), training=True, seen=None, **said)
        sign(owner=wendy(), workspace=works(), training=False, seen=first.pk, **said)
        holds.release(holds.place(alice(), "A claim", by=stella()), "Settled", by=stella())
        assert kinds() == ["answered", "answered", "agreed", "agreed", "hold", "hold"]

    def test_reviews(self, committed):
        decided(alice(), Training.DENY)
        flag = flagging.flag(answered(alice()).conversation, reason="A threat", told="We read it.", by=stella())
        flagging.unflag(flag, reason="Nothing in it", by=stella())
        assert kinds() == ["answered", "flag", "flag"]

    def test_no_word_and_no_address_is_in_it(self, committed):
        decided(alice(), Training.DENY)
        conversations.delete(alice(), conversation=answered(alice(), "xanthic").conversation.public_id)
        holds.place(alice(), "An xanthic reason", by=stella())
        kinds()
        text = Path(settings.GUARD_LOG).read_text()
        assert "xanthic" not in text and "@" not in text and str(alice().public_id) in text


class TestLog:
    def entries(self, number: int) -> None:
        GuardEntry.objects.bulk_create([GuardEntry(kind="head", said={"size": n}) for n in range(number)])

    def test_is_appended_to_once_by_two_at_a_time(self, committed):
        self.entries(2_500)
        assert at_once(*[tasks.log_deletions] * 2) == []
        tasks.log_deletions()
        sequences = [line.sequence for line in log.lines()]
        assert sequences == list(range(1, 2_501))
        assert not GuardEntry.objects.filter(sequence__isnull=True).exists()

    def test_after_a_crash_before_the_commit_says_it_twice_and_means_it_once(self, committed):
        self.entries(3)
        tasks.log_deletions()
        GuardEntry.objects.update(sequence=None)
        tasks.log_deletions()
        assert len(list(log.lines())) == 6 and len({line.key for line in log.lines()}) == 3
        assert "knows everything" in replayed()

    def test_a_torn_line_is_passed_over_and_comes_again(self, committed):
        self.entries(3)
        tasks.log_deletions()
        whole = Path(settings.GUARD_LOG).read_bytes()
        Path(settings.GUARD_LOG).write_bytes(whole[:-20])
        GuardEntry.objects.filter(sequence=3).update(sequence=None)
        self.entries(1)
        tasks.log_deletions()
        assert len({line.key for line in log.lines()}) == 4
        last = log.last()
        assert last and last.sequence == 4

    @pytest.mark.parametrize("how", ["changed", "taken out"])
    def test_who_changes_it_is_noticed(self, committed, how):
        self.entries(4)
        tasks.log_deletions()
        lines = Path(settings.GUARD_LOG).read_text().splitlines(keepends=True)
        lines[1] = lines[1].replace('"size":1', '"size":9') if how == "changed" else ""
        Path(settings.GUARD_LOG).write_text("".join(lines))
        with pytest.raises(log.Broken):
            list(log.lines())
        with pytest.raises(CommandError) as refused:
            call_command("replay_erasures")
        assert refused.value.returncode == 3


class TestRestored:
    def test_nothing_comes_back(self, committed, tmp_path):
        """Everything that can be decided is decided after the backup."""
        for person in (alice(), bob(), charlie()):
            decided(person, Training.ALLOW)
        deleted, stays, withdrawn = answered(alice()).conversation, answered(alice()).conversation, bob()
        purged, bobs = answered(bob()).conversation, answered(bob()).conversation
        charlies = answered(charlie()).conversation
        said = {"retention_days": None, "source": Source.SETTINGS}
        agreement = sign(owner=wendy(), workspace=works(), training=True, seen=None, **said)
        work = asked_in(will(), works()).conversation
        tree.build()
        before = set(Conversation.objects.trainable(clock.now()).values_list("pk", flat=True))
        assert {deleted.pk, stays.pk, purged.pk, bobs.pk, charlies.pk, work.pk} <= before
        with database.backed_up(tmp_path / "backup.sql") as restore:
            conversations.delete(alice(), conversation=deleted.public_id)
            conversations.delete(bob(), conversation=purged.public_id)
            Conversation.objects.filter(pk=purged.pk).update(purge_after=clock.now())
            sweep.sweep()
            decided(bob(), Training.DENY)
            decided(bob(), Training.ALLOW)  # a new permission, which the backup does not know either
            sign(owner=wendy(), workspace=works(), training=False, seen=agreement.pk, **said)
            holds.place(stays, "A claim", by=stella())
            flagging.flag(bobs, reason="A threat", told="We read it again.", by=stella())
            gone = charlie().public_id
            leaving.leave(user=charlie())
            assert erasure.erase(charlie().pk)
            tree.build()
            kinds()
            epoch = Standing.objects.get(user=withdrawn).epoch
            restore()

            with pytest.raises(watch.OlderThanLog):  # not even a connection is opened
                Conversation.objects.exists()
            stranger = Client(raise_request_exception=False)
            refused = stranger.get("/terms/")
            assert refused.status_code == 503 and "is being restored" in refused.content.decode()
            assert stranger.get("/healthz").status_code == 200

            report = replayed()
            assert "1 accounts that were erased" in report and "published at" in report
            connection.close()
            assert not User.objects.filter(public_id=gone).exists()
            trains = set(Conversation.objects.trainable(clock.now()).values_list("pk", flat=True))
            assert trains == set()
            readable = set(Conversation.objects.visible(clock.now()).values_list("pk", flat=True))
            assert readable == {stays.pk, bobs.pk, work.pk}
            sweep.sweep()
            assert not Conversation.objects.filter(pk__in=[purged.pk, charlies.pk]).exists()
            now = Standing.objects.get(user=withdrawn)
            assert now.training == "deny" and now.epoch > epoch
            assert {hold.key for hold in Hold.objects.standing()} == {stays.public_id, bobs.public_id}
            assert checking.check().drifted == 0 and checking.check(slow=True).drifted == 0
            call_command("rebuild_standing", "--check")
            (lost,) = bad()  # the evidence since the backup, and it is named
            assert "is not in the ledger" in lost

            # And once more: nothing is left to do.
            kinds()
            assert "knows everything" in replayed()
            decided(bob(), Training.ALLOW)
            assert answered(bob()).conversation.pk in Conversation.objects.trainable(clock.now()).values_list(
                "pk", flat=True
            )

    def test_whoever_is_killed_in_the_middle_goes_on(self, committed, tmp_path, monkeypatch):
        decided(alice(), Training.ALLOW)
        keys = [answered(alice()).conversation.public_id for _ in range(4)]
        with database.backed_up(tmp_path / "backup.sql") as restore:
            for key in keys:
                conversations.delete(alice(), conversation=key)
            kinds()
            restore()
            real, calls = deleting.mark, iter(range(10))

            def killed(*args: Any) -> Any:
                if next(calls) == 2:
                    raise KeyboardInterrupt
                return real(*args)

            monkeypatch.setattr(deleting, "mark", killed)
            with pytest.raises(KeyboardInterrupt):
                replayed()
            with pytest.raises(watch.OlderThanLog):
                connection.close()
                Conversation.objects.exists()
            assert "2 chats that people deleted" in replayed()
            connection.close()
            assert not Conversation.objects.visible(clock.now()).exists()

    def test_an_account_that_may_come_back_may_still(self, committed, tmp_path):
        decided(alice(), Training.ALLOW)
        answered(alice())
        with database.backed_up(tmp_path / "backup.sql") as restore:
            leaving.leave(user=alice(), days=7)
            kinds()
            restore()
            replayed()
            connection.close()
            assert not Conversation.objects.visible(clock.now()).exists()
            assert Erasure.objects.get().due_at > clock.now()
            leaving.stay(alice())
            assert Conversation.objects.visible(clock.now()).count() == 1

    def test_another_ledger_under_the_same_name_is_reported(self, committed, tmp_path):
        decided(alice(), Training.ALLOW)
        with database.backed_up(tmp_path / "backup.sql") as restore:
            decided(alice(), Training.DENY)
            tree.build()
            kinds()
            restore()
            with watch.off():
                decided(bob(), Training.DENY)
                decided(bob(), Training.ALLOW)
                tree.build()
                with pytest.raises(CommandError) as refused:
                    call_command("replay_erasures")
            assert refused.value.returncode == 4


def test_what_the_dry_run_says_it_does_not_do(committed, tmp_path, capsys):
    decided(alice(), Training.DENY)
    key = answered(alice()).conversation.public_id
    with database.backed_up(tmp_path / "backup.sql") as restore:
        conversations.delete(alice(), conversation=key)
        kinds()
        restore()
        with watch.off():
            call_command("replay_erasures", "--dry-run")
            assert "1 chats that people deleted" in capsys.readouterr().out
            assert Conversation.objects.visible(clock.now()).exists()


def test_the_form_of_a_line(committed):
    decided(alice(), Training.DENY)
    kinds()
    said = json.loads(Path(settings.GUARD_LOG).read_text())
    assert set(said) == {"sequence", "key", "kind", "said", "at", "chain"}
    assert said["said"] == {"person": str(alice().public_id), "training": "deny", "epoch": 0}
