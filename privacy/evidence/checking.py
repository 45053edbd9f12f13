"""Checking a receipt with nothing but the receipt: no database, no network, no Django.

It proves that these events were in a ledger whose root was signed by these keys, and that what the receipt says in
words is what the events say. Whether the keys are the right ones, only keys kept from elsewhere can tell.
"""

import json
from collections.abc import Mapping
from typing import Any

from privacy.canonical import digest
from privacy.evidence import heads, merkle

FORM = 1
LARGEST = 4 * 1024 * 1024  # characters of a receipt

GIVEN, REFUSED, WITHDRAWN = "dpv:ConsentGiven", "dpv:ConsentRefused", "dpv:ConsentWithdrawn"
STATUS = {
    "terms_accepted": GIVEN,
    "training_allowed": GIVEN,
    "training_denied": REFUSED,
    "training_withdrawn": WITHDRAWN,
    "training_ended": "dpv:ConsentInvalidated",
    "history_kept": GIVEN,
    "history_not_kept": WITHDRAWN,
}
SERVICE, TRAINING, HISTORY = (
    ("The service under these terms", "dpv:ServiceProvision", "dpv:Contract"),
    ("Training models", "dpv:ServiceOptimisation", "dpv:Consent"),
    ("Keeping the history", "dpv:ServicePersonalisation", "dpv:Consent"),
)
PURPOSE = {
    "terms_accepted": SERVICE,
    **dict.fromkeys(("training_allowed", "training_denied", "training_withdrawn", "training_ended"), TRAINING),
    **dict.fromkeys(("history_kept", "history_not_kept"), HISTORY),
}


class Flaw(Exception):
    """What is wrong with a receipt, in words."""


def read(text: str) -> dict[str, Any]:
    """A receipt from its JSON. Raises Flaw."""
    if len(text) > LARGEST:
        raise Flaw("This file is too large for a receipt.")
    try:
        receipt = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Flaw("This file is not JSON.") from error
    if not isinstance(receipt, dict) or receipt.get("parley:form") != FORM:
        raise Flaw("This is not a receipt that this program knows.")
    return receipt


def check(receipt: Mapping[str, Any], kept_keys: list[dict[str, Any]] | None = None) -> list[str]:
    """What holds of a receipt, one line each. Raises Flaw with the first thing that does not."""
    try:
        return list(_check(receipt, kept_keys))
    except heads.BadSignature as error:
        raise Flaw(f"A signature does not hold: {error}.") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        raise Flaw("The receipt is damaged: something is missing or is not what it should be.") from error


def _check(receipt: Mapping[str, Any], kept_keys: list[dict[str, Any]] | None) -> Any:
    evidence = receipt["parley:evidence"]
    events = [one["event"] for one in evidence]
    if not events:
        raise Flaw("The receipt holds no event.")
    _one_act(events)
    yield f"{len(events)} events of one act, chained to each other" if len(events) > 1 else "one event"
    _words(receipt, events)
    yield "what the receipt says is what the events say"
    yield _terms(receipt["parley:terms"], events)
    if any(one["proof"] is None for one in evidence):
        raise Flaw("This receipt is not sealed yet: it was made before its events were in the tree. Get it again.")
    keys = heads.verify_keys(receipt["parley:keys"])
    for one in evidence:
        _proof(one["event"], one["proof"], keys)
    head = evidence[-1]["proof"]["head"]
    yield f"every event is in the ledger of {head['origin']} ({head['size']} leaves)"
    yield f"its root was signed at {head['at']} with the key {head['key']}"
    yield _trust(receipt["parley:keys"], kept_keys)


def _one_act(events: list[dict[str, Any]]) -> None:
    """One subject, one moment, and each event points at the one before."""
    for before, event in zip(events, events[1:], strict=False):
        if (event["subject"], event["at"]) != (before["subject"], before["at"]):
            raise Flaw("The events are not of one act.")
        if event["previous"] != digest(before):
            raise Flaw(f"The event {event['key']} does not follow the one before it.")


def _words(receipt: Mapping[str, Any], events: list[dict[str, Any]]) -> None:
    record = receipt["dpv:hasRecordOfActivity"]
    chosen = [event for event in events if event["act"] in STATUS]
    said = [
        (
            one["dpv:hasConsentStatus"],
            one["dct:date"],
            one["dct:title"],
            one["dpv:hasPurpose"],
            one["dpv:hasLegalBasis"],
        )
        for one in record["dpv:hasProcess"]
    ]
    if said != [(STATUS[event["act"]], event["at"], *PURPOSE[event["act"]]) for event in chosen]:
        raise Flaw("What the receipt says was chosen is not what the events say.")
    named = {event["key"]: event for event in events}.get(receipt["dct:identifier"])
    if named is None or record["dct:identifier"] != named["key"] or receipt["dct:created"] != named["at"]:
        raise Flaw("The receipt names an event that it does not hold.")
    subject = record["dpv:hasDataSubject"]
    if (subject and subject["@id"]) != (f"urn:uuid:{named['subject']}" if named["subject"] else None):
        raise Flaw("The receipt names somebody else than the events.")
    notice = record.get("dpv:hasNotice")
    if (notice["dct:identifier"] if notice else "") != named["terms"]:
        raise Flaw("The receipt names other terms than the events.")


def _terms(document: Any, events: list[dict[str, Any]]) -> str:
    wanted = {event["terms"] for event in events} - {""}
    if not wanted:
        return "no terms were answered"
    if document is None or wanted != {digest(document)}:
        raise Flaw("The terms in the receipt are not the ones that were answered.")
    return f"the terms answered are version {document['version']}, word for word as in the receipt"


def _proof(event: dict[str, Any], proof: dict[str, Any], keys: Mapping[str, str]) -> None:
    head = proof["head"]
    heads.verify_head(head, keys)
    leaf = merkle.leaf_hash(bytes.fromhex(digest(event)))
    path = [bytes.fromhex(part) for part in proof["path"]]
    if proof["size"] != head["size"]:
        raise Flaw("The proof is of another tree than the head.")
    if not merkle.verify_inclusion(leaf, proof["position"], proof["size"], path, bytes.fromhex(head["root"])):
        raise Flaw(f"The event {event['key']} is not in the tree that was signed: one of the two was changed.")


def _trust(listed: list[dict[str, Any]], kept: list[dict[str, Any]] | None) -> str:
    if kept is None:
        return f"the keys begin with {listed[0]['key']}: compare that with keys you have from elsewhere (--keys)"
    heads.verify_keys(kept)
    ids, known = [one["key"] for one in listed], [one["key"] for one in kept]
    shared = min(len(ids), len(known))
    if not shared or ids[:shared] != known[:shared]:
        raise Flaw("The keys are not those that you kept.")
    return "the keys are those that you kept"
