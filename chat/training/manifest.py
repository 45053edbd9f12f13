"""What a set says of itself, beside its shards: which files, how many conversations and why, under which filter.

No moment of writing and no key of anybody: the same set gives the same bytes, whose hash is in the ledger.
"""

import hashlib
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from chat.models import TrainingChunk, TrainingSet
from chat.training import filtering, snapshot
from chat.training.files import create
from chat.training.files import hash_of as hash_of_file
from chat.training.outcomes import INCLUDED

NAME = "manifest.json"
BRANCH = "The path to the leaf that is shown, up to its last complete answer."


class Damaged(Exception):
    """A shard is missing, or is not what the manifest says."""


def text_of(training_set: TrainingSet) -> str:
    """The manifest as it stands now."""
    outcomes = snapshot.outcomes(training_set)
    permissions: Counter[str] = Counter()
    files: list[dict[str, Any]] = []
    for chunk in TrainingChunk.objects.filter(training_set=training_set).order_by("number"):
        permissions.update(chunk.permissions)
        files += chunk.files
    said = {
        "parley_training_set": 1,
        "set": str(training_set.public_id),
        "state": "sealed" if training_set.sealed_at else "built",
        "snapshot_at": training_set.snapshot_at.isoformat(),
        "sealed_at": training_set.sealed_at and training_set.sealed_at.isoformat(),
        "filter": training_set.filter,
        "names_filtered": bool(training_set.filter) and bool(filtering.names_model()),
        "filter_recall": filtering.recall() if training_set.filter else {},
        "branch": BRANCH,
        "conversations": outcomes.pop(INCLUDED, 0),
        "included": dict(permissions),
        "excluded": outcomes,
        "not_eligible": training_set.not_eligible,
        "files": files,
    }
    return json.dumps(said, indent=1, sort_keys=True) + "\n"


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def write(training_set: TrainingSet, text: str) -> Path:
    """Put the manifest beside the shards; it is there as a whole or as it was before."""
    training_set.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = training_set.folder / NAME
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with create(draft) as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    return draft.rename(path)


def require_whole(training_set: TrainingSet, files: list[dict[str, Any]]) -> None:
    """Raises Damaged unless each file is there and has its hash."""
    for file in files:
        path = training_set.folder / file["name"]
        if not path.exists() or hash_of_file(path) != file["sha256"]:
            raise Damaged(file["name"])


def tidy(training_set: TrainingSet) -> None:
    """Remove what the set's folder has besides its own files: what workers left that died, and what was rewritten."""
    named = {NAME}
    for files in TrainingChunk.objects.filter(training_set=training_set).values_list("files", flat=True):
        named |= {file["name"] for file in files}
    for path in training_set.folder.iterdir():
        if path.name not in named:
            path.unlink()
