"""After release: what a run is told to drop, who may ask, and what people read on the page of their chat."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from chat.models import Conversation, TrainingMember, TrainingRun, TrainingSet
from chat.training import checking
from chat.turns import conversations
from privacy import erasure, leaving, sweep
from privacy.vocabulary import Training
from tests.people import alice, bob
from tests.scenes import decided
from tests.test_why import answer
from tests.training import allowed, built, key_of, released, sealed

pytestmark = pytest.mark.django_db
ADDRESS, KEY = "/training/check", "a-long-random-training-key"
ROOT = Path(__file__).resolve().parent.parent
ASKED = "Was it used for training?"


@pytest.fixture(autouse=True)
def _settings(settings, tmp_path):
    settings.TRAINING_DIR, settings.TRAINING_KEY = str(tmp_path / "training"), KEY


def ask(client, made: TrainingSet, run: str = "run-1", key: str = KEY):
    sent = {"run": run, "manifest": made.manifest_hash}
    return client.post(ADDRESS, sent, headers={"authorization": f"Bearer {key}"})


def dropped(made: TrainingSet) -> list[str]:
    return checking.check(manifest=made.manifest_hash, run="a run").drop


# --- The drop list ------------------------------------------------------------------------


def test_nothing_is_dropped_while_nothing_changes():
    allowed(alice(), "one", "two")
    assert dropped(released()) == []


def test_what_was_withdrawn_and_what_was_deleted_is_dropped():
    mine = allowed(alice(), "one", "two")
    (bobs,) = allowed(bob(), "his own")
    made = released()
    conversations.delete(alice(), conversation=mine[0].public_id)
    assert dropped(made) == [key_of(mine[0], made)]
    decided(bob(), Training.DENY)
    assert set(dropped(made)) == {key_of(mine[0], made), key_of(bobs, made)}


def test_what_was_dropped_once_stays_dropped():
    (one,) = allowed(alice(), "one")
    made = released()
    conversations.delete(alice(), conversation=one.public_id)
    before = dropped(made)
    conversations.undelete(alice(), conversation=one.public_id)
    assert dropped(made) == before == [key_of(one, made)]


def test_purged_it_is_dropped_still_and_nothing_leads_to_whose_it_was(move_clock):
    (one,) = allowed(alice(), "one")
    made = released()
    key = key_of(one, made)
    conversations.delete(alice(), conversation=one.public_id)
    move_clock(hours=25)
    assert sweep.sweep().purged == 1
    assert dropped(made) == [key]
    row = TrainingMember.objects.filter(key=key).values().get()
    ids = {"id", "training_set_id", "conversation_id", "message_id"}
    assert set(row) == ids | {"key", "chunk", "outcome", "dropped_at"}
    assert row["conversation_id"] is None and row["message_id"] is None


def test_erased_it_is_dropped_still():
    (one,) = allowed(alice(), "one")
    made = released()
    key = key_of(one, made)
    leaving.leave(user=alice())
    assert dropped(made) == [key]
    assert erasure.erase(alice().pk) and not Conversation.objects.filter(pk=one.pk).exists()
    assert dropped(made) == [key]


def test_which_runs_used_a_conversation_has_an_answer():
    one, two = allowed(alice(), "one", "two")
    made = released()
    for run in ("first", "second"):
        checking.check(manifest=made.manifest_hash, run=run)
    conversations.delete(alice(), conversation=one.public_id)
    checking.check(manifest=made.manifest_hash, run="third")
    assert [run.name for run in checking.runs_of(key_of(one, made))] == ["first", "second"]
    assert [run.name for run in checking.runs_of(key_of(two, made))] == ["first", "second", "third"]
    assert [run.to_drop for run in TrainingRun.objects.order_by("pk")] == [0, 0, 1]
    assert [run.used().count() for run in TrainingRun.objects.order_by("pk")] == [2, 2, 1]


def test_only_what_is_released_is_checked():
    allowed(alice(), "one")
    for made in (built(), sealed()):
        with pytest.raises(checking.NotReleased):
            checking.check(manifest=made.manifest_hash, run="a run")
        with pytest.raises(CommandError, match="no released set"):
            call_command("check_training_set", str(made.folder / "manifest.json"), "--run", "a run")
    assert not TrainingRun.objects.exists()


# --- Over HTTP -----------------------------------------------------------------------------


def test_whoever_has_the_key_is_told_and_the_run_is_noted(client):
    (one,) = allowed(alice(), "one")
    made = released()
    conversations.delete(alice(), conversation=one.public_id)
    told = ask(client, made)
    assert told.status_code == 200 and told.json()["drop"] == [key_of(one, made)]
    assert told.json()["manifest"] == made.manifest_hash and told["Cache-Control"] == "no-store"
    run = TrainingRun.objects.get()
    assert (run.name, run.to_drop) == ("run-1", 1)


@pytest.mark.parametrize("key", ["", "wrong", KEY[:-1], KEY + "x", "ключ"])
def test_nobody_else_is(client, key):
    allowed(alice(), "one")
    refused = ask(client, released(), key=key)
    assert refused.status_code == 403 and "drop" not in refused.json() and not TrainingRun.objects.exists()


def test_an_account_opens_nothing(client):
    allowed(alice(), "one")
    made = released()
    client.force_login(alice())
    assert client.post(ADDRESS, {"run": "x", "manifest": made.manifest_hash}).status_code == 403


def test_without_a_key_in_the_settings_there_is_nothing_here(client, settings):
    settings.TRAINING_KEY = ""
    allowed(alice(), "one")
    made = released()
    assert ask(client, made).status_code == ask(client, made, key="").status_code == 404


def test_a_run_has_a_name_and_a_set_is_released(client):
    allowed(alice(), "one")
    assert ask(client, released(), run=" ").status_code == 400
    assert ask(client, released(), run="x" * 201).status_code == 400
    refused = ask(client, sealed())
    assert refused.status_code == 404 and refused.json()["error"]["code"] == "not_released"


def test_no_cookie_and_no_token_is_needed_and_reading_tells_nothing():
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    allowed(alice(), "one")
    assert ask(strict, released()).status_code == 200
    assert strict.get(ADDRESS, headers={"authorization": f"Bearer {KEY}"}).status_code == 405


# --- For people -----------------------------------------------------------------------------


def test_the_page_says_in_which_sets_a_chat_is_and_how_many_runs_used_it(client):
    one, other = allowed(alice(), "one", "other")
    assert answer(client, one, ASKED) == "It is in 0 training sets."
    sealed()
    assert answer(client, one, ASKED) == "It is in 0 training sets.", "nobody may train on it yet"
    made = released()
    said = answer(client, one, ASKED)
    assert said.startswith("It is in 1 training set.") and "0 training runs have used this chat" in said
    checking.check(manifest=made.manifest_hash, run="first")
    assert "1 training run has used this chat" in answer(client, one, ASKED)
    decided(alice(), Training.DENY)
    checking.check(manifest=made.manifest_hash, run="second")
    assert "1 training run has used this chat" in answer(client, other, ASKED)


# --- The sample of a trainer -------------------------------------------------------------------


def train(made: TrainingSet) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "docs/train_sample.py"), str(made.folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def check_by_command(made: TrainingSet) -> None:
    call_command("check_training_set", str(made.folder / "manifest.json"), "--run", "a run")


def test_the_sample_trains_on_what_was_checked_today_without_what_was_dropped():
    one, *_ = allowed(alice(), "one", "two", "three")
    made = released()
    conversations.delete(alice(), conversation=one.public_id)
    check_by_command(made)
    done = train(made)
    assert done.returncode == 0, done.stderr
    assert "2 conversations" in done.stdout


def test_the_sample_refuses_what_is_unsealed_unchecked_or_checked_yesterday(move_clock):
    allowed(alice(), "one")
    assert "not sealed" in train(built()).stderr
    made = released()
    assert "not checked" in train(made).stderr
    check_by_command(made)
    said = json.loads((made.folder / "drop.json").read_text())
    (made.folder / "drop.json").write_text(json.dumps({**said, "checked_at": "2020-01-01T00:00:00+00:00"}))
    assert "not checked today" in train(made).stderr
    (made.folder / "drop.json").write_text(json.dumps({**said, "manifest": "0" * 64}))
    assert "another set" in train(made).stderr


def test_the_sample_refuses_what_was_changed():
    allowed(alice(), "one")
    made = released()
    check_by_command(made)
    shard = next(made.folder.glob("*.parquet"))
    shard.write_bytes(shard.read_bytes() + b"x")
    assert "is not what the manifest says" in train(made).stderr
