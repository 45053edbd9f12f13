"""The files of a set: written as a stream, each of bounded size, whole before it has its name.

A row is a conversation: `messages` as trainers take them (role and content), and where it comes from. Who reads them
needs none of Parley: docs/training.md describes the columns.
"""

import os
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from chat.models import TrainingSet
from chat.training.files import create, hash_of, remove

LARGEST = 256_000_000  # bytes of text in one file
AT_ONCE = 1_000  # rows in memory when a file is written anew
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
SCHEMA = pa.schema(
    [
        ("conversation", pa.string()),
        ("messages", MESSAGES),
        ("message_keys", pa.list_(pa.string())),
        ("permission", pa.string()),
        ("terms", pa.string()),
        ("chosen_on", pa.date32()),
        ("filter", pa.string()),
    ]
)


@dataclass(frozen=True)
class Row:
    """One conversation of a set, or one exchange of it.

    `permission` is `terms` (whose slug is in `terms`), `agreement`, or for an exchange `feedback`.
    """

    conversation: str
    roles: Sequence[str]
    contents: Sequence[str]
    message_keys: Sequence[str]
    permission: str
    terms: str
    chosen_on: date | None
    filter: str

    @property
    def size(self) -> int:
        return sum(map(len, self.contents))


@dataclass
class Shards:
    """Writes the files of one chunk. As a context: left by an error, it leaves nothing behind."""

    folder: Path
    number: int
    format: str
    files: list[dict[str, Any]] = field(default_factory=list)
    permissions: Counter[str] = field(default_factory=Counter)
    _open: "_Parquet | _Lines | None" = None
    _size: int = 0

    def __enter__(self) -> "Shards":
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None:
            self._close()
            return
        if self._open:
            self._open.close()
            self._open.path.unlink(missing_ok=True)
        remove(self.folder, self.files)

    def write(self, rows: Sequence[Row]) -> None:
        if rows:
            self.write_table(_table(rows), sum(row.size for row in rows))

    def write_table(self, table: pa.Table, size: int) -> None:
        if self._open is None:
            kind = _Parquet if self.format == TrainingSet.Format.PARQUET else _Lines
            self._open = kind(self.folder / f".{self.number:05}-{secrets.token_hex(4)}.{self.format}")
        self._open.write(table)
        self.permissions.update(_permissions(table))
        self._size += size
        if self._size >= LARGEST:
            self._close()

    def _close(self) -> None:
        if self._open is None:
            return
        done, self._open, self._size = self._open, None, 0
        done.close()
        whole = done.path.with_name(done.path.name.removeprefix("."))
        done.path.rename(whole)
        said = {"name": whole.name, "sha256": hash_of(whole), "bytes": whole.stat().st_size}
        self.files.append({**said, "conversations": done.rows, "messages": done.messages})


class _Parquet:
    def __init__(self, path: Path) -> None:
        self.path, self.rows, self.messages = path, 0, 0
        self.file = create(path)
        self.writer = pq.ParquetWriter(self.file, SCHEMA, compression="zstd", compression_level=1)

    def write(self, table: pa.Table) -> None:
        self.rows += table.num_rows
        self.messages += _messages(table)
        self.writer.write_table(table)

    def close(self) -> None:
        self.writer.close()
        os.fsync(self.file.fileno())
        self.file.close()


class _Lines:
    def __init__(self, path: Path) -> None:
        self.path, self.rows, self.messages = path, 0, 0
        self.file = create(path)

    def write(self, table: pa.Table) -> None:
        self.rows += table.num_rows
        self.messages += _messages(table)
        self.file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in table.to_pylist())

    def close(self) -> None:
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()


def without(shards: Shards, old: Iterable[dict[str, Any]], keys: Collection[str]) -> None:
    """Write these files once more into `shards`, without the rows of `keys`."""
    gone = pa.array(sorted(keys), pa.string())
    for file in old:
        for table in tables(shards.folder / file["name"]):
            left = table.filter(pc.invert(pc.is_in(table["conversation"], gone)))
            if left.num_rows:
                shards.write_table(left, left.nbytes)


def tables(path: Path) -> Iterator[pa.Table]:
    """A file piece by piece."""
    if path.suffix == ".parquet":
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(AT_ONCE):
                yield pa.Table.from_batches([batch], SCHEMA)
        return
    with path.open("rb") as lines:
        rows: list[Any] = []
        for line in lines:
            row = orjson.loads(line)
            rows.append({**row, "chosen_on": row["chosen_on"] and date.fromisoformat(row["chosen_on"])})
            if len(rows) == AT_ONCE:
                yield pa.Table.from_pylist(rows, SCHEMA)
                rows = []
        if rows:
            yield pa.Table.from_pylist(rows, SCHEMA)


def _table(rows: Sequence[Row]) -> pa.Table:
    """By columns: a table made of dictionaries takes several times as long."""
    offsets = [0]
    for row in rows:
        offsets.append(offsets[-1] + len(row.contents))
    roles = pa.array([role for row in rows for role in row.roles], pa.string())
    contents = pa.array([text for row in rows for text in row.contents], pa.string())
    keys = pa.array([key for row in rows for key in row.message_keys], pa.string())
    starts = pa.array(offsets, pa.int32())
    columns = [
        pa.array([row.conversation for row in rows], pa.string()),
        pa.ListArray.from_arrays(starts, pa.StructArray.from_arrays([roles, contents], ["role", "content"])),
        pa.ListArray.from_arrays(starts, keys),
        *(pa.array([getattr(row, name) for row in rows], SCHEMA.field(name).type) for name in SCHEMA.names[3:]),
    ]
    return pa.table(columns, SCHEMA)


def _messages(table: pa.Table) -> int:
    return int(pc.sum(pc.list_value_length(table["messages"])).as_py() or 0)


def _permissions(table: pa.Table) -> Counter[str]:
    pairs = zip(table["permission"].to_pylist(), table["terms"].to_pylist(), strict=True)
    return Counter(f"{permission} {terms}".strip() for permission, terms in pairs)
