"""Somebody changes receipts: one value at a time, or with everything made to fit and a key of their own."""

import copy
import json
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from accounts.models import User
from privacy.evidence import heads, keys, wording
from privacy.models import Event
from tests.receipts import hold, script

# What a receipt says and nothing in it proves: who issued it. docs/receipts.md says so too.
NOT_COVERED = {("dct:publisher", name) for name in wording.UNPROVEN}

Path_ = tuple[Any, ...]


class Checked:
    """A receipt in a file, checked by both programs, which must agree."""

    def __init__(self, file: Path, keys_file: Path | None = None) -> None:
        self.file, self.keys_file = file, keys_file
        self.receipt = json.loads(file.read_bytes())
        self.module = script()
        assert self.holds(self.receipt)

    def holds(self, receipt: Any) -> bool:
        product, alone = hold(receipt, self.file, self.module, self.keys_file)
        assert product == alone, "the two programs do not agree"
        return product

    def altered(self) -> Any:
        """A copy to be changed."""
        return copy.deepcopy(self.receipt)


# --- Changes to one thing -------------------------------------------------------------


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every single value in a document, with the way to it. Empty lists and objects are values too."""
    if isinstance(value, dict | list) and value:
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*path, name))
    else:
        yield path, value


def alterations(value: Any) -> list[Any]:
    """Other values, near ones above all: other types that Python takes for equal, other spellings of the same bytes."""
    others: list[Any] = [None, True, False, 0, 1, "", [], {}, [value]]
    if isinstance(value, str):
        others += [f"{value} ", f"{value}\n", f"{value}=", value[:-1], value.upper(), value.lower()]
        others += [value[:-1] + other for other in "AQg05+="]
        others += [spare_bit(value)] if value.endswith("=") else []
        others += [int(value)] if value.isdecimal() else []
    elif isinstance(value, int):
        others += [value + 1, -value, -1 - value, str(value), int(value), bool(value), value + 2**64]
    as_text = json.dumps(value)
    return [other for other in others if json.dumps(other) != as_text]


def spare_bit(text: str) -> str:
    """Base64 of the same bytes: before the padding stand bits that nobody reads."""
    body = text.rstrip("=")
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    other = letters[letters.index(body[-1]) ^ 1]
    return body[:-1] + other + text[len(body) :]


def put(document: Any, path: Path_, value: Any) -> None:
    for step in path[:-1]:
        document = document[step]
    document[path[-1]] = value


def containers(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    if isinstance(value, dict | list):
        yield path, value
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from containers(item, (*path, name))


def at(document: Any, path: Path_) -> Any:
    for step in path:
        document = document[step]
    return document


def reshaped(container: Any) -> Iterator[Any]:
    """The same with one thing missing, one more, or two exchanged."""
    if isinstance(container, dict):
        for name in container:
            yield {key: item for key, item in container.items() if key != name}
        yield container | {"dpv:hasConsentStatus": "dpv:ConsentGiven"}
        yield container | {"": None}
        return
    for number in range(len(container)):
        yield container[:number] + container[number + 1 :]
        yield container[: number + 1] + container[number:]
    for number in range(len(container) - 1):
        yield [*container[:number], container[number + 1], container[number], *container[number + 2 :]]
    yield [*container, None]


# --- Changes that fit ---------------------------------------------------------------


def latest_of(person: User) -> Event:
    event = Event.objects.of(person).first()
    assert event
    return event


def rewritten(receipt: Any) -> None:
    """Make the words fit the evidence again."""
    issuer, key = receipt["dct:publisher"], receipt["dct:identifier"]
    fresh = wording.receipt(issuer, key, receipt["parley:evidence"])
    receipt.clear()
    receipt.update(fresh)


def signed(receipt: Any, key: Any) -> None:
    """Sign the head in a receipt with `key`, and name it there."""
    head = receipt["parley:evidence"]["head"]
    head |= heads.sign({name: head[name] for name in ("origin", "size", "root", "at")}, key)


def signed_by_a_stranger(receipt: Any) -> Any:
    key = keys.private("a stranger's")
    public = heads.public_of(key)
    receipt["parley:evidence"]["keys"] = [{"key": heads.key_id(public), "public": public}]
    signed(receipt, key)
    return receipt
