"""Checking a receipt with nothing but the receipt: no database, no network, no Django.

It proves that these events are in a ledger whose head was signed with these keys, and that the receipt says in words
what the events say and no more. Whether the keys are the right ones, only keys kept from elsewhere can tell.
docs/verify_receipt.py does the same in a file of its own, for people who do not trust this one: the same claims in the
same order.
"""

import json
from collections.abc import Collection, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from privacy.canonical import canonical, digest
from privacy.evidence import entry, heads, merkle, wording

LARGEST = 4 * 1024 * 1024  # bytes of a receipt
EVIDENCE, PROVEN = {"terms", "events", "head", "keys"}, {"event", "position", "path"}
FIRST_KEY, LATER_KEY = {"key", "public"}, {"key", "public", "from", "vouched_by", "voucher"}

Object = Mapping[str, Any]


class Flaw(Exception):
    """What is not so with a receipt; the message is a whole sentence."""

    def __init__(self, claim: str) -> None:
        super().__init__(f"The receipt does not hold. This is not so: {claim}.")


def check(receipt: Path, keys: Path | None = None) -> list[str]:
    """What holds of the receipt in this file, a line each, and last what it proves. Raises Flaw.

    `keys` is a file with keys that were kept from /.well-known/parley/keys.json.
    """
    so: list[str] = []
    try:
        proven = _check(receipt, keys, so)
    except Exception as error:  # whatever goes wrong with what somebody made up
        raise Flaw(so[-1]) from error
    return [*(f"ok  {claim}" for claim in so), proven]


def _check(receipt_file: Path, keys_file: Path | None, so: list[str]) -> str:
    """Writes into `so` what it checks next: if that fails, it is not so."""
    so.append("the file can be read, and is JSON of at most 4 MiB with one meaning")
    receipt = _read(receipt_file)
    so.append("it is a receipt of the form that this program knows")
    _need(receipt["parley:form"] == wording.FORM)
    so.append("it is sealed (within a minute of the choice it may not be yet: get it again)")
    evidence = receipt["parley:evidence"]
    terms, proven, head, keys = (evidence[name] for name in ("terms", "events", "head", "keys"))
    so.append("nothing stands in it that would not be looked at")
    _need_shapes(evidence)
    so.append("its events are one act of one person, each with the hash of the one before")
    events = [one["event"] for one in proven]
    _need_one_act(events)
    so.append("its terms are those that were answered")
    _need({event["terms"] for event in events} == {digest(terms)})
    so.append("its words say what its events and its terms say")
    _need(canonical(receipt) == canonical(_rewritten(receipt)))
    so.append("its keys vouch for each other")
    public = heads.verify_keys([{**keys[0], "vouched_by": ""}, *keys[1:]])
    kept: list[Any] = []
    if keys_file:
        so.append("its keys are those that were kept")
        kept = _read(keys_file)["keys"]
        _need_same_keys(keys, kept)
    so.append("its head was signed with one of them while that was in use")
    heads.verify_head(head, public)
    _need_in_use(head, [*keys[1:], *kept])
    so.append("each of its events is a leaf of the tree under that head")
    for one in proven:
        _need_included(one, head)
    chosen = "; ".join(f"{question[0]}: {answer}" for question, answer in (wording.ANSWERS[e["act"]] for e in events))
    sure = "" if kept else ", if its keys are that ledger's"
    return f"The receipt holds{sure}. At {events[0]['at']!a}, in the ledger {head['origin']!a}: {chosen}."


# --- Reading ----------------------------------------------------------------------


def _read(path: Path) -> Any:
    """JSON that has one meaning: no name twice in an object, no fractions."""
    _need(path.is_file() and path.stat().st_size <= LARGEST)
    text = path.read_text("utf-8-sig")
    return json.loads(text, object_pairs_hook=_once, parse_float=_refuse, parse_constant=_refuse)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    _need(len(found := dict(pairs)) == len(pairs))
    return found


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"receipts hold whole numbers, not {number}")


# --- Claims -----------------------------------------------------------------------


def _need(holds: object) -> None:
    if not holds:
        raise ValueError


def _need_shapes(evidence: Any) -> None:
    """Everything in the evidence is looked at by one of the other claims. Words, terms and events are hashed whole."""
    head, (first, *later) = evidence["head"], evidence["keys"]
    for value, names in ((evidence, EVIDENCE), (head, heads.FIELDS), (first, FIRST_KEY)):
        _need_names(value, names)
    for key in later:
        _need_names(key, LATER_KEY)
    for one in evidence["events"]:
        _need_names(one, PROVEN)
        _need(type(one["position"]) is int)
    _need(type(head["size"]) is int)


def _need_names(value: Any, names: Collection[str]) -> None:
    _need(set(value) == set(names))


def _need_one_act(events: list[Object]) -> None:
    _need(all(event["form"] == entry.FORM and event["subject"] for event in events))
    for before, event in pairwise(events):
        _need(event["previous"] == digest(before))
        _need(all(event[name] == before[name] for name in ("subject", "at")))


def _rewritten(receipt: Object) -> Object:
    """The receipt as its evidence wants it."""
    said = receipt["dct:publisher"]
    unproven = {name: str(said[name]) for name in wording.UNPROVEN if name in said}
    issuer = wording.issuer(said["@id"], unproven)
    return wording.receipt(issuer, receipt["dct:identifier"], receipt["parley:evidence"])


def _need_same_keys(listed: list[Any], kept: list[Any]) -> None:
    """The keys go on from those that were kept, or those from these."""
    _need(kept and all(one["public"] == other["public"] for one, other in zip(listed, kept, strict=False)))


def _need_in_use(head: Object, keys: list[Any]) -> None:
    """A key signs until its successor does: who finds an old one later must not sign with it."""
    _need(not any(key["vouched_by"] == head["key"] and key["from"] < head["at"] for key in keys))


def _need_included(one: Object, head: Object) -> None:
    leaf = merkle.leaf_hash(bytes.fromhex(digest(one["event"])))
    path, root = [heads.unhexed(node) for node in one["path"]], heads.unhexed(head["root"])
    _need(merkle.verify_inclusion(leaf, one["position"], head["size"], path, root))
