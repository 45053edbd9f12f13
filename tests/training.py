"""Training sets of the tests: built, sealed and released in this process, and read as a trainer reads them."""

import json
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

import pyarrow.parquet as pq
import pytest

from accounts.models import User
from chat.models import Conversation, TrainingMember, TrainingSet
from chat.training import chunks, sealing, snapshot
from chat.training import manifest as manifests
from privacy.vocabulary import Training
from tests.answering import apart
from tests.scenes import answered, decided


def wrote(person: User, *questions: str) -> list[Conversation]:
    """A conversation for each, begun under an Allow."""
    return [answered(person, question, f"About {question}").conversation for question in questions]


def allowed(person: User, *questions: str) -> list[Conversation]:
    decided(person, Training.ALLOW)
    return wrote(person, *questions)


def begun(**more: Any) -> TrainingSet:
    return snapshot.begin(**{"reason": "A test", "chunk": 2, **more})


def built(**more: Any) -> TrainingSet:
    made = begun(**more)
    assert chunks.work(made)
    made.refresh_from_db()
    return made


def sealed(**more: Any) -> TrainingSet:
    return sealing.seal(built(**more))


def released(**more: Any) -> TrainingSet:
    return sealing.release(sealed(**more))


def seal_while(made: TrainingSet, monkeypatch: pytest.MonkeyPatch, act: Callable[..., Any], *args: Any) -> None:
    """`act` begins between the seal's last asking and its commit, has to wait for that, and ends after it."""
    late, text_of = list[Future[Any]](), manifests.text_of

    def at_the_last_moment(training_set: TrainingSet) -> str:
        late.append(apart(act, *args))
        wait([late[0]], timeout=0.3)
        assert not late[0].done(), "it did not wait for the seal"
        return text_of(training_set)

    monkeypatch.setattr(manifests, "text_of", at_the_last_moment)
    sealing.seal(made)
    late[0].result(10)


def rows(training_set: TrainingSet) -> list[dict[str, Any]]:
    """What is in its shards."""
    return [row for file in manifest(training_set)["files"] for row in _read(training_set, file["name"])]


def manifest(training_set: TrainingSet) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((training_set.folder / "manifest.json").read_text())
    return found


def questions(training_set: TrainingSet) -> set[str]:
    return {row["messages"][0]["content"] for row in rows(training_set)}


def outcome(conversation: Conversation, training_set: TrainingSet) -> str:
    return TrainingMember.objects.get(conversation=conversation, training_set=training_set).outcome


def key_of(conversation: Conversation, training_set: TrainingSet) -> str:
    return str(TrainingMember.objects.get(conversation=conversation, training_set=training_set).key)


def _read(training_set: TrainingSet, name: str) -> list[dict[str, Any]]:
    path = training_set.folder / name
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    read: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return read
