"""The beginning of a training run: what it may read of a set, and nothing before that is certain.

    python train_sample.py FOLDER

It refuses a set that is not sealed, whose files are not those of its manifest, or of which nobody asked today what to
drop (`manage.py check_training_set FOLDER/manifest.json --run NAME`, or POST /training/check, saved as drop.json).
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds


def main(folder: Path) -> None:
    manifest = folder / "manifest.json"
    said = json.loads(manifest.read_text())
    if said["state"] != "sealed":
        sys.exit("This set is not sealed.")
    for file in said["files"]:
        if hash_of(folder / file["name"]) != file["sha256"]:
            sys.exit(f"{file['name']} is not what the manifest says.")
    dropped = drop_list(folder / "drop.json", hash_of(manifest))
    count = 0
    for batch in batches(folder, said["files"], dropped):
        count += batch.num_rows  # train(batch["messages"])
    print(f"{count} conversations to train on, {len(dropped)} dropped.")


def drop_list(path: Path, manifest: str) -> list[str]:
    """The keys to leave out, if they were asked for today and for this very set."""
    if not path.exists():
        sys.exit("This set was not checked: ask what to drop first.")
    said = json.loads(path.read_text())
    if said["manifest"] != manifest:
        sys.exit("This drop list is of another set.")
    if datetime.fromisoformat(said["checked_at"]).astimezone(UTC).date() != datetime.now(UTC).date():
        sys.exit("This set was not checked today: ask again what to drop.")
    return list(said["drop"])


def batches(folder: Path, files: list[dict[str, Any]], dropped: list[str]) -> Iterator[pa.RecordBatch]:
    """What is left, piece by piece; Hugging Face's `load_dataset("parquet", ...)` with a `filter` does the same."""
    left_out = pa.array(dropped, pa.string())
    for file in files:
        kind = "json" if file["name"].endswith(".jsonl") else "parquet"
        rows = ds.dataset(folder / file["name"], format=kind)
        yield from rows.to_batches(filter=~pc.field("conversation").isin(left_out))


def hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
