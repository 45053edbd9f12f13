"""Check the receipt of a choice made in Parley:  python3 verify_receipt.py RECEIPT.json [KEYS.json]

Needs Python 3.11 and the package `cryptography`, nothing of Parley, no network and no database. KEYS.json is what
/.well-known/parley/keys.json said some time before: without it, whoever made the receipt may have made its keys.
Begin to read at `check`. The exit code is 0 if the receipt holds, 1 if not. docs/receipts.md explains every field.
"""

import hashlib
import json
import sys
from base64 import b64decode, b64encode
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LARGEST, PROFILE = 4 * 1024 * 1024, "https://w3id.org/dpv/schema/dpv-27560#"
CONTEXT = "d8a9c56879f143cf755b9bdbe33e658d7b33b38188e268f78e9f2a633de7bad0"  # SHA-256 of "@context"
UNPROVEN = {"dpv:hasName", "dpv:hasContact", "dpv:hasAddress", "dpv:hasJurisdiction"}  # the issuer's own word
SERVICE = ("The service under these terms", "dpv:ServiceProvision", "dpv:Contract")
TRAINING = ("Training models", "dpv:ImproveExistingProductsAndServices", "dpv:ExpressedConsent")
HISTORY = ("Keeping the history", "dpv:RequestedServiceProvision", "dpv:ExpressedConsent")
ANSWERS = {  # what each act says to which question
    "terms_accepted": (SERVICE, "dpv:ConsentGiven"), "deferred": (SERVICE, "dpv:ConsentRequestDeferred"),
    "training_allowed": (TRAINING, "dpv:ConsentGiven"), "training_denied": (TRAINING, "dpv:ConsentRefused"),
    "training_withdrawn": (TRAINING, "dpv:ConsentWithdrawn"), "training_ended": (TRAINING, "dpv:ConsentRevoked"),
    "history_kept": (HISTORY, "dpv:ConsentGiven"), "history_not_kept": (HISTORY, "dpv:ConsentWithdrawn"),
}

def check(receipt_file: str, keys_file: str, so: list[str]) -> str:
    """Writes into `so` what it checks next: if that fails, it is not so. Returns what the receipt proves."""
    so.append("the file can be read, and is JSON of at most 4 MiB with one meaning")
    receipt = parsed(receipt_file)
    so.append("it is a receipt of the form that this program knows")
    need(receipt["parley:form"] == 1)
    so.append("it is sealed (within a minute of the choice it may not be yet: get it again)")
    terms, proven, head, keys = (receipt["parley:evidence"][name] for name in ("terms", "events", "head", "keys"))
    so.append("nothing stands in it that would not be looked at")
    need(set(receipt["parley:evidence"]) == {"terms", "events", "head", "keys"} and set(keys[0]) == {"key", "public"})
    need(all(set(key) == {"key", "public", "from", "vouched_by", "voucher"} for key in keys[1:]))
    need(set(head) == {"origin", "size", "root", "at", "key", "signature"} and type(head["size"]) is int)
    need(all(set(one) == {"event", "position", "path"} and type(one["position"]) is int for one in proven))
    so.append("its events are one act of one person, each with the hash of the one before")
    events = [one["event"] for one in proven]
    need(all(event["form"] == 1 and event["subject"] for event in events))
    for before, event in pairwise(events):
        need((event["previous"], event["subject"], event["at"]) == (digest(before), before["subject"], before["at"]))
    so.append("its terms are those that were answered")
    need({event["terms"] for event in events} == {digest(terms)})
    so.append("its words say what its events and its terms say")
    need(digest(receipt["@context"]) == CONTEXT and digest(receipt) == digest(words(receipt, events, terms)))
    so.append("its keys vouch for each other")
    need(all(key["key"] == hashlib.sha256(b64decode(key["public"])).hexdigest()[:16] for key in keys))
    for before, key in pairwise(keys):
        need(key["vouched_by"] == before["key"])
        text = f"parley ledger key\n{key['key']}\n{key['public']}\nfrom {key['from']}\n"
        need_signature(before["public"], key["voucher"], text)
    if keys_file:
        so.append("its keys are those that were kept")
    kept = parsed(keys_file)["keys"] if keys_file else []
    need(not keys_file or (kept and all(a["public"] == b["public"] for a, b in zip(keys, kept, strict=False))))
    so.append("its head was signed with one of them while that was in use")
    text = f"{head['origin']}\n{head['size']}\n{b64encode(bytes.fromhex(head['root'])).decode()}\nat {head['at']}\n"
    need_signature({key["key"]: key["public"] for key in keys}[head["key"]], head["signature"], text)
    need(not any(key["vouched_by"] == head["key"] and key["from"] < head["at"] for key in [*keys[1:], *kept]))
    so.append("each of its events is a leaf of the tree under that head")
    for one in proven:
        need(0 <= one["position"] < head["size"] and one["path"] == [bytes.fromhex(node).hex() for node in one["path"]])
        leaf = hashlib.sha256(b"\0" + bytes.fromhex(digest(one["event"]))).digest()
        need(root_over(leaf, one["position"], head["size"], one["path"]).hex() == head["root"])
    chosen = "; ".join(f"{ANSWERS[event['act']][0][0]}: {ANSWERS[event['act']][1]}" for event in events)
    sure = "" if kept else ", if its keys are that ledger's"
    return f"The receipt holds{sure}. At {events[0]['at']!a}, in the ledger {head['origin']!a}: {chosen}."

def words(receipt: Any, events: list[Any], terms: Any) -> dict[str, Any]:
    """The receipt as its evidence wants it: nothing else may stand in it. `UNPROVEN` is taken from it as it is."""
    key, site, evidence = receipt["dct:identifier"], receipt["dct:publisher"]["@id"], receipt["parley:evidence"]
    event, where = {event["key"]: event for event in events}[key], {"dpv:isExercisedAt": f"{site}privacy/"}
    notice = {"@id": f"urn:uuid:{event['detail']['notice']}"} if "notice" in event["detail"] else {}
    text = {text["language"]: text for text in terms["texts"]}.get(event["detail"].get("language"), terms["texts"][0])
    unproven = {name: str(said) for name, said in receipt["dct:publisher"].items() if name in UNPROVEN}
    return {
        "@context": receipt["@context"], "@id": f"urn:uuid:{key}", "@type": "dpv:ConsentReceipt",
        "dct:identifier": key, "dct:conformsTo": f"{PROFILE}receipt", "dct:created": evidence["head"]["at"],
        "dct:publisher": {"@id": site, "@type": "dpv:DataController", "dct:identifier": site, **unproven},
        "parley:form": 1, "parley:evidence": evidence, "dpv:hasRecordOfActivity": {
            "@id": f"urn:uuid:{key}#record", "@type": "dpv:ConsentRecord", "dct:identifier": key,
            "dpv:hasDataSubject": {"@type": "dpv:DataSubject", "@id": f"urn:uuid:{event['subject']}"},
            "dct:conformsTo": f"{PROFILE}record", "dpv:hasDataController": site, "dpv:hasNotice": {
                "@type": "dpv:ConsentNotice", "dct:identifier": event["terms"], "dct:title": text["title"],
                "dct:language": text["language"], "schema:url": f"{site}terms/{terms['version']}/", **notice,
            },
            "dpv:hasProcess": [process(event, terms["retention"]) for event in events],
            "dpv:hasConsentControl": {"@type": ["dpv:ProvideConsent", "dpv:WithdrawConsent"], **where},
            "dpv:hasRight": {"@type": ["dpv:DataSubjectRight", "eu-gdpr:A7-3"], **where},
        },
    }

def process(event: Any, retention: Any) -> dict[str, Any]:
    """One question and its answer in words."""
    ((title, purpose, basis), status), act, detail = ANSWERS[event["act"]], event["act"], event["detail"]
    how = event["source"] + ("; the browser asked not to share data (Sec-GPC)" if detail.get("gpc") is True else "")
    how += "; confirmed in spite of that" if act == "training_allowed" and detail.get("despite_gpc") is True else ""
    days = f"P{retention['standard_days']}D"
    kept = {"training_allowed": f"P{retention['training_years']}Y", "training_denied": days, "training_withdrawn": days}
    lasts = {"dpv:hasStorageCondition": {"@type": "dpv:StorageDuration", "dpv:hasDuration": kept.get(act)}}
    return {
        "@type": "dpv:Process", "dct:title": title, "dpv:hasPurpose": purpose, "dpv:hasLegalBasis": basis,
        "dpv:hasPersonalData": "pd:Communication", **(lasts if act in kept else {}), "dpv:hasConsentStatus": {
            "@type": status, "dpv:isIndicatedAtTime": event["at"], "dpv:hasIndicationMethod": how,
            "dpv:isIndicatedBy": "dpv:DataSubject" if event["actor"] == event["subject"] else "dpv:DataController",
        },
    }

def root_over(leaf: bytes, index: int, size: int, path: list[str]) -> bytes:
    """The root over `size` leaves with this one at `index` (RFC 6962, 2.1); the last of `path` is the other half's."""
    if size == 1 and not path:
        return leaf
    half, other = 1 << (size - 1).bit_length() - 1, bytes.fromhex(path[-1])
    if index < half:
        return hashlib.sha256(b"\1" + root_over(leaf, index, half, path[:-1]) + other).digest()
    return hashlib.sha256(b"\1" + other + root_over(leaf, index - half, size - half, path[:-1])).digest()

def need_signature(public: str, signature: str, text: str) -> None:
    need(all(b64encode(b64decode(spelled)).decode() == spelled for spelled in (public, signature)))
    Ed25519PublicKey.from_public_bytes(b64decode(public)).verify(b64decode(signature), text.encode())

def parsed(path: str) -> Any:
    """JSON in which all numbers are whole, and no name stands twice in one object."""
    need(Path(path).is_file() and Path(path).stat().st_size <= LARGEST)
    once = lambda pairs: dict(pairs) if len(dict(pairs)) == len(pairs) else need(False)  # noqa: E731
    return json.loads(Path(path).read_text("utf-8-sig"), object_pairs_hook=once, parse_float=int, parse_constant=int)

def digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()

def need(holds: object) -> None:
    if not holds:
        raise ValueError

if __name__ == "__main__":
    so = ["it was called as its first line says"]
    try:
        proven = check(sys.argv[1], "".join(sys.argv[2:3]), so)
    except Exception:  # whatever goes wrong with what somebody made up
        sys.exit(f"The receipt does not hold. This is not so: {so[-1]}.")
    print(*(f"ok  {claim}" for claim in so[1:]), proven, sep="\n")
