"""What is in a training set: what may train when it is read, the shown branch, and no more of anybody than that."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction
from django.db.models import F

from accounts import clock
from chat.models import Conversation, Message, TrainingChunk, TrainingMember, TrainingSet
from chat.training import chunks, expiring, manifest, reading, sealing, shards
from chat.training.files import hash_of
from chat.turns import acts, conversations
from privacy import flagging, holds, sweep
from privacy.models import Event, Standing
from privacy.vocabulary import Act, Training
from tests import many
from tests.people import alice, bob, charlie, stella, wendy, will, works
from tests.scenes import answered, asked, asked_in, decided, published
from tests.test_agreement import signed
from tests.training import allowed, begun, built, key_of, outcome, questions, released, rows, sealed, wrote

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.TRAINING_DIR = str(tmp_path / "training")


# --- What is eligible -----------------------------------------------------------------


def test_what_may_train_is_in_it_and_nothing_else():
    decided(bob(), Training.DENY)
    wrote(bob(), "denied")
    decided(alice(), Training.DENY)
    wrote(alice(), "begun before")
    kept, deleted, flagged, held = allowed(alice(), "kept", "deleted", "flagged", "held")
    acts.ask(
        alice(),
        workspace=alice().personal_workspace.public_id,
        conversation=None,
        parent=None,
        text="temporary",
        temporary=True,
    )
    conversations.keep(alice(), conversation=kept.public_id)
    conversations.delete(alice(), conversation=deleted.public_id)
    flagging.flag(flagged, reason="Looks odd", told="We look at it.", by=stella())
    holds.place(held, "A case", by=stella())
    asked_in(will(), works(), "at work")
    made = built()
    assert questions(made) == {"kept"} and made.total == 1
    assert made.not_eligible == {
        "denied": 1,
        "begun_before": 1,
        "deleted": 1,
        "flagged": 1,
        "held": 1,
        "temporary": 1,
        "agreement": 1,
    }


def test_every_row_that_the_policy_lets_train_and_no_other():
    """As many as there are combinations: a set is exactly what `trainable` says."""
    decided(alice(), Training.ALLOW, keep_history=True)
    rows_ = many.conversations(alice())
    may = set(Conversation.objects.trainable(clock.now()).values_list("pk", flat=True))
    assert 0 < len(may) < len(rows_)
    made = begun()
    assert set(TrainingMember.objects.filter(training_set=made).values_list("conversation", flat=True)) == may


def test_work_trains_by_its_agreement_alone():
    signed(training=True)
    decided(will(), Training.DENY)
    turn = asked_in(will(), works(), "at work")
    Message.objects.filter(pk=turn.answer.pk).update(state="complete", text="Yes.")
    (row,) = rows(built())
    assert (row["permission"], row["terms"]) == ("agreement", "") and row["chosen_on"] == clock.now().date()


def test_resting_permissions_are_not_in_it(move_clock):
    allowed(alice(), "one")
    published()
    move_clock(days=31)
    assert begun().total == 0


# --- Asked again -----------------------------------------------------------------------


def withdraw(one: Conversation) -> None:
    decided(alice(), Training.DENY)


def delete(one: Conversation) -> None:
    conversations.delete(alice(), conversation=one.public_id)


def hold(one: Conversation) -> None:
    holds.place(one, "A case", by=stella())


def flag(one: Conversation) -> None:
    flagging.flag(one, reason="Looks odd", told="We look at it.", by=stella())


def off_and_on(one: Conversation) -> None:
    decided(alice(), Training.DENY)
    decided(alice(), Training.ALLOW)


def drift(one: Conversation) -> None:
    """The tag says yes; the policy, asked of the facts, does not."""
    Conversation.objects.filter(pk=one.pk).update(begun_at=clock.now() - timedelta(days=365 * 60))


def stale(one: Conversation) -> None:
    """The standing has moved on and no tag says so yet."""
    Standing.objects.filter(user=one.author).update(epoch=F("epoch") + 1)


CHANGES = {
    withdraw: "withdrawn",
    delete: "deleted",
    hold: "held",
    flag: "flagged",
    off_and_on: "withdrawn",
    drift: "disagreed",
    stale: "withdrawn",
}


@pytest.mark.parametrize(("change", "reason"), CHANGES.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_what_changes_between_the_snapshot_and_its_chunk_is_left_out_and_counted(change, reason):
    allowed(bob(), "his own")
    (one,) = allowed(alice(), "her own")
    made = begun(chunk=1)
    change(one)
    assert chunks.work(made)
    assert questions(made) == {"his own"} and outcome(one, made) == reason
    assert manifest_of(made)["excluded"] == {reason: 1}


@pytest.mark.parametrize(("change", "reason"), CHANGES.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_what_changes_between_its_chunk_and_the_seal_is_taken_out(change, reason):
    allowed(bob(), "his own")
    one, _ = allowed(alice(), "her own", "more of hers")
    made = built(chunk=10)
    assert "her own" in questions(made)
    before = {path.name for path in made.folder.iterdir()}
    change(one)
    sealing.seal(made)
    assert "her own" not in questions(made) and "his own" in questions(made) and outcome(one, made) == reason
    assert b"her own" not in b"".join(path.read_bytes() for path in made.folder.iterdir())
    assert len(list(made.folder.iterdir())) == 2 and before != {path.name for path in made.folder.iterdir()}


def test_what_was_decided_and_has_not_reached_the_rows_counts_at_once(settings):
    one, *_ = allowed(alice(), *map(str, range(5)))
    made = built()
    settings.RETAG_AT_ONCE = 3
    decided(alice(), Training.DENY)
    assert Conversation.objects.get(pk=one.pk).tag_reason == "allowed"
    sealing.seal(made)
    assert rows(made) == [] and outcome(one, made) == "waiting"


def test_purged_before_the_seal(move_clock):
    allowed(bob(), "his own")
    (one,) = allowed(alice(), "her own")
    made = built()
    conversations.delete(alice(), conversation=one.public_id)
    move_clock(hours=25)
    assert sweep.sweep().purged == 1
    sealing.seal(made)
    assert questions(made) == {"his own"}
    assert TrainingMember.objects.get(conversation=None).outcome == "gone"


# --- What a row says --------------------------------------------------------------------


def test_a_row_is_what_trainers_take_and_says_where_it_comes_from():
    (one,) = allowed(alice(), "Where is Berlin?")
    conversations.rename(alice(), conversation=one.public_id, title="A secret title")
    made = sealed()
    (row,) = rows(made)
    assert row["messages"] == [
        {"role": "user", "content": "Where is Berlin?"},
        {"role": "assistant", "content": "About Where is Berlin?"},
    ]
    assert (row["permission"], row["terms"]) == ("terms", alice().standing.terms.slug)
    assert row["chosen_on"] == alice().standing.since.date() and row["filter"] == made.filter
    assert row["conversation"] == key_of(one, made) and len(set(row["message_keys"])) == 2
    said = json.dumps(row, default=str) + json.dumps(manifest_of(made))
    private = [one.public_id, alice().public_id, alice().email, "secret title", *public_keys_of(one)]
    assert [word for word in map(str, private) if word in said] == []


def test_keys_of_two_sets_have_nothing_in_common():
    allowed(alice(), "one")
    (first,), (second,) = rows(built()), rows(built())
    assert first["conversation"] != second["conversation"]
    assert not set(first["message_keys"]) & set(second["message_keys"])


def test_the_branch_that_is_shown_and_complete_messages_only():
    decided(alice(), Training.ALLOW)
    turn = answered(alice(), "first", "one")
    acts.edit(alice(), message=turn.question.public_id, text="edited")
    shown = Message.objects.filter(conversation=turn.conversation).order_by("pk").last()
    Message.objects.filter(pk=shown.pk).update(state="complete", text="two")
    more = asked(alice(), "and then?", within=Conversation.objects.get(pk=turn.conversation.pk))
    Message.objects.filter(pk=more.answer.pk).update(state="stopped", text="I was stopp")
    (row,) = rows(built())
    assert [one["content"] for one in row["messages"]] == ["edited", "two"]


def test_without_a_complete_answer_there_is_nothing_to_learn():
    decided(alice(), Training.ALLOW)
    one = asked(alice()).conversation
    made = built()
    assert rows(made) == [] and outcome(one, made) == "empty"


# --- Filtered ----------------------------------------------------------------------------


def test_nothing_sensitive_is_written_and_what_is_doubtful_is_left_out():
    allowed(alice(), "Write to jo@example.org, please", "Is 4111 1111 1111 1112 a card?", "Nothing here")
    made = built()
    assert questions(made) == {"Write to [EMAIL_1], please", "Nothing here"}
    assert manifest_of(made)["excluded"] == {"unsure": 1}
    assert b"jo@example" not in b"".join(path.read_bytes() for path in made.folder.iterdir())


def test_what_the_filter_fails_on_is_not_let_through(monkeypatch):
    from chat.training.filtering import finding

    monkeypatch.setitem(finding.read_settings(), "longest", 20)
    allowed(alice(), "Short", "Longer than twenty characters")
    made = built()
    assert questions(made) == {"Short"} and manifest_of(made)["excluded"] == {"unreadable": 1}


def test_unfiltered_is_never_sealed():
    allowed(alice(), "jo@example.org")
    made = built(filtered=False)
    assert questions(made) == {"jo@example.org"} and rows(made)[0]["filter"] == ""
    with pytest.raises(sealing.NotToBeSealed):
        sealing.seal(made)
    with pytest.raises(IntegrityError), transaction.atomic():
        TrainingSet.objects.filter(pk=made.pk).update(state="released")


# --- Files --------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["parquet", "jsonl"])
def test_hugging_face_and_pandas_read_it_without_glue(format, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets
    import pandas as pd

    allowed(alice(), "one", "two", "three")
    made = sealed(format=format)
    files = sorted(map(str, made.folder.glob(f"*.{format}")))
    assert len(files) == 2
    kind = "parquet" if format == "parquet" else "json"
    read = datasets.load_dataset(kind, data_files=files, split="train", cache_dir=str(tmp_path / "hf"))
    assert len(read) == 3 and read[0]["messages"][0] == {"role": "user", "content": "one"}
    frames = [pd.read_parquet(file) if kind == "parquet" else pd.read_json(file, lines=True) for file in files]
    assert set(pd.concat(frames)["permission"]) == {"terms"}


def test_both_formats_say_the_same():
    allowed(alice(), "one", "two", "three")
    assert questions(sealed(format="jsonl")) == questions(sealed()) == {"one", "two", "three"}


def test_a_shard_is_of_bounded_size(monkeypatch):
    monkeypatch.setattr(shards, "LARGEST", 10)
    monkeypatch.setattr(reading, "AT_ONCE", 1)
    allowed(alice(), "one", "two", "three")
    made = sealed(chunk=10)
    assert len(manifest_of(made)["files"]) == 3 and questions(made) == {"one", "two", "three"}


def test_the_manifest_is_true_and_its_hash_is_in_the_ledger():
    allowed(alice(), "one", "two", "three")
    made = released()
    said = manifest_of(made)
    for file in said["files"]:
        assert hash_of(made.folder / file["name"]) == file["sha256"]
    assert said["conversations"] == sum(file["conversations"] for file in said["files"]) == 3
    assert said["included"] == {f"terms {alice().standing.terms.slug}": 3} and said["filter"] == made.filter
    assert said["state"] == "sealed" and said["snapshot_at"] == made.snapshot_at.isoformat()
    for act in (Act.TRAINING_SET_SEALED, Act.TRAINING_SET_RELEASED):
        event = Event.objects.get(act=act)
        assert event.detail["manifest"] == hash_of(made.folder / "manifest.json")
    assert Event.objects.get(act=Act.TRAINING_SET_SEALED).detail["conversations"] == 3


def test_what_was_tampered_with_is_neither_sealed_nor_released():
    allowed(alice(), "one")
    made = built()
    file = made.folder / manifest_of(made)["files"][0]["name"]
    whole = file.read_bytes()
    file.write_bytes(whole + b"x")
    with pytest.raises(manifest.Damaged):
        sealing.seal(made)
    file.write_bytes(whole)
    sealing.seal(made)
    next(made.folder.glob("*.parquet")).unlink()
    with pytest.raises(manifest.Damaged):
        sealing.release(made)


def test_what_a_dead_worker_left_is_taken_up_and_tidied_away(move_clock):
    allowed(alice(), "one", "two", "three")
    made = begun()
    TrainingChunk.objects.filter(training_set=made, number=0).update(taken_at=clock.now())
    made.folder.mkdir(parents=True)
    (made.folder / ".00000-dead.parquet").write_text("half")
    assert not chunks.work(made)
    move_clock(minutes=11)
    assert chunks.work(made)
    sealing.seal(made)
    assert questions(made) == {"one", "two", "three"} and not (made.folder / ".00000-dead.parquet").exists()


def test_sealed_once_and_released_once():
    allowed(alice(), "one")
    made = sealed()
    first = made.manifest_hash
    assert sealing.seal(made).manifest_hash == first and Event.objects.filter(act=Act.TRAINING_SET_SEALED).count() == 1
    sealing.release(made)
    with pytest.raises(sealing.NotToBeReleased):
        sealing.release(made)
    with pytest.raises(sealing.NotToBeReleased):
        sealing.release(built())


def test_what_nobody_seals_goes(move_clock):
    allowed(alice(), "one")
    left, kept = built(), sealed()
    move_clock(days=8)
    expiring.forget_unsealed(clock.now())
    assert not left.folder.exists() and kept.folder.exists()
    assert list(TrainingSet.objects.all()) == [kept]


# --- Commands and the administration -----------------------------------------------------


def test_the_commands_from_building_to_release(capsys):
    allowed(alice(), "one")
    with pytest.raises(CommandError, match="Say what the set is for"):
        call_command("build_training_set")
    call_command("build_training_set", "For the next model")
    made = TrainingSet.objects.get()
    with pytest.raises(CommandError):
        call_command("release_training_set", str(made.public_id))
    call_command("seal_training_set", str(made.public_id))
    call_command("release_training_set", str(made.public_id))
    call_command("check_training_set", str(made.folder / "manifest.json"), "--run", "run-1")
    assert json.loads((made.folder / "drop.json").read_text())["drop"] == []


class TestStaff:
    def test_builds_seals_and_releases(self, client, monkeypatch):
        from chat import tasks

        allowed(alice(), "one", "two", "three")
        monkeypatch.setattr(tasks.fill_training_chunk, "delay", tasks.fill_training_chunk.run)
        client.force_login(stella())
        address = "/admin/chat/trainingset/build/"
        assert address in client.get("/admin/chat/trainingset/").content.decode()
        assert client.post(address, {"reason": "", "confirmed": "on"}).status_code == 422
        assert client.post(address, {"reason": "The next model", "confirmed": "on"}).status_code == 302
        made = TrainingSet.objects.get()
        assert "0 of 1 chunks (0 %)" in client.get("/admin/chat/trainingset/").content.decode()
        tasks.go_on_with_training_sets()
        made.refresh_from_db()
        assert made.state == "built" and Event.objects.get(act=Act.TRAINING_SET_ASKED).actor
        assert "(100 %)" in client.get("/admin/chat/trainingset/").content.decode()
        for act, state in (("seal", "sealed"), ("release", "released")):
            page = f"/admin/chat/trainingset/{made.pk}/"
            assert f"{page}{act}/" in client.get(f"{page}change/").content.decode()
            assert client.post(f"{page}{act}/", {"confirmed": "on"}).status_code == 302
            made.refresh_from_db()
            assert made.state == state
            assert client.post(f"{page}{act}/", {"confirmed": "on"}).status_code in (302, 422)

    @pytest.mark.parametrize("person", [alice, wendy, charlie])
    def test_nobody_else(self, client, person):
        client.force_login(person())
        assert client.post("/admin/chat/trainingset/build/", {"reason": "x", "confirmed": "on"}).status_code == 302
        assert not TrainingSet.objects.exists()


def manifest_of(made: TrainingSet) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((made.folder / "manifest.json").read_text())
    return said


def public_keys_of(one: Conversation) -> list[str]:
    keys = one.messages.values_list("public_id", flat=True)
    return [form for key in keys for form in (str(key), key.hex)]
