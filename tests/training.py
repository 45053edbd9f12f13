"""Training sets of the tests: built, sealed and released in this process, and read as a trainer reads them."""

import json
from typing import Any

import pyarrow.parquet as pq

from accounts.models import User
from chat.models import Conversation, TrainingMember, TrainingSet
from chat.training import chunks, sealing, snapshot
from privacy.vocabulary import Training
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
