"""Heads and keys that were kept outside the database, against what it says now.

This is what a rewrite of the whole database cannot pass, whichever keys were stolen for it: every head that somebody
kept must still be there, and be of the same leaves.
"""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.db.models import Max

from privacy.evidence import heads, headsfile, keys, tree
from privacy.evidence.verifying import BadRow, Tick
from privacy.models import Leaf, LedgerKey, TreeHead

BATCH = 500
WHOLE = 1_000_000  # bytes up to which a file is looked at as one document


def check_heads(path: Path, tick: Tick, end: int | None = None) -> None:
    """Every head in `path` (up to byte `end`) is in the ledger: `heads.jsonl`, a published head or a signed note."""
    public = {key.key_id: key.public for key in LedgerKey.objects.all()}
    found = _document(path, public) if end is None else headsfile.lines(path, end)
    while batch := list(islice(found, BATCH)):
        moments = [at for _, head in batch if head and (at := headsfile.moment_of(head))]
        stored = [head.published() for head in TreeHead.objects.filter(at__in=moments)]
        for line, head in batch:
            tick()
            if head is None:
                raise BadRow(f"{path.name}, line {line}: it is no head")
            if head not in stored:
                raise BadRow(f"{path.name}, line {line}: {_what_of(head, public)}")


def check_keys(path: Path, tick: Tick) -> None:
    """The ledger's keys begin with those in `path` (a `keys.json` that was kept)."""
    try:
        kept = json.loads(path.read_text())["keys"]
        heads.verify_keys(kept)
    except (KeyError, TypeError, ValueError, heads.BadSignature) as error:
        raise BadRow(f"{path.name}: it is no list of keys") from error
    listed = keys.listed()
    for number, key in enumerate(kept):
        tick()
        if number >= len(listed) or any(key[name] != value for name, value in listed[number].items()):
            raise BadRow(f"{path.name}: the key {key['key']} is not the ledger's key number {number + 1} any more")


def _document(path: Path, public: dict[str, str]) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """The heads of a file that somebody kept, whichever of the published forms it has."""
    if path.stat().st_size > WHOLE:
        return headsfile.lines(path)
    text = path.read_text()
    try:
        said = json.loads(text)
    except ValueError:
        if text.lstrip().startswith("{"):
            return headsfile.lines(path)
        try:
            return iter([(1, heads.from_note(text, public))])
        except heads.BadSignature:
            return iter([(1, None)])
    several = said.get("heads", [said]) if isinstance(said, dict) else []
    return iter([(number, _plain(head)) for number, head in enumerate(several, 1)] or [(1, None)])


def _plain(head: Any) -> dict[str, Any] | None:
    """The signed fields of a published head."""
    if not isinstance(head, dict) or any(name not in head for name in heads.FIELDS):
        return None
    return {name: head[name] for name in heads.FIELDS}


def _what_of(head: dict[str, Any], public: dict[str, str]) -> str:
    """What is the matter with a kept head that is not in the ledger."""
    try:
        heads.verify_head(head, public)
    except heads.BadSignature as error:
        return f"a head of {head.get('size')} leaves, but {error}"
    name = f"the head of {head['size']} leaves signed at {head['at']}"
    newest = Leaf.objects.aggregate(position=Max("position"))["position"]
    size = 0 if newest is None else newest + 1
    if head["size"] > size:
        return f"{name} is not in the ledger, which has {size} leaves"
    if _root(head["size"]) != head["root"]:
        return f"{name} is not in the ledger, whose first {head['size']} leaves are others"
    return f"{name} is not in the ledger, though its leaves are"


def _root(size: int) -> str:
    try:
        return tree.root_of(size)
    except tree.BrokenTree:
        return ""
