"""Check a certificate of deletion from Parley:  python3 verify_certificate.py CERTIFICATE.json [KEYS.json]

Needs Python 3.11 and the package `cryptography`, nothing of Parley, no network and no database. KEYS.json is what
/.well-known/parley/keys.json said some time before: without it, whoever made the certificate may have made its keys.
Begin to read at `check`. The exit code is 0 if the certificate holds, 1 if not. docs/certificates.md explains it.
"""

import hashlib
import json
import sys
from base64 import b64decode, b64encode
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LARGEST, FORM = 4 * 1024 * 1024, "parley-deletion-certificate/1"
TEXTS = {"form", "made_by", "of", "purged_at", "stores", "beyond_reach", "proof"}


def check(certificate_file: str, keys_file: str, so: list[str]) -> str:
    """Writes into `so` what it checks next: if that fails, it is not so. Returns what the certificate proves."""
    so.append("the file can be read, and is JSON of at most 4 MiB with one meaning")
    said = parsed(certificate_file)
    so.append("it is a certificate of the form that this program knows")
    need(said["form"] == FORM and set(said) - {"asked_at"} == TEXTS and set(said["of"]) == {"kind", "key", "cause"})
    proof, of, event = said["proof"], said["of"], said["proof"]["event"]
    head, keys = proof["head"], proof["keys"]
    so.append("its event is one of a deletion, and is about what the certificate is about")
    need(event["form"] == 1)
    proven = of_account(said, event) if of["kind"] == "account" else of_chat(said, proof, event)
    so.append("its event is a leaf of the tree under its head")
    position = proof["position"]
    need(type(position) is int and type(head["size"]) is int and 0 <= position < head["size"])
    hashed = leaf_hash(bytes.fromhex(digest(event)))
    need(root_over(hashed, position, head["size"], proof["event_path"]).hex() == head["root"])
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
    sure = "" if kept else ", if its keys are that ledger's"
    return f"The certificate holds{sure}. By the ledger {head['origin']!a}: {proven}"


def of_chat(said: Any, proof: Any, event: Any) -> str:
    """It was purged with a chunk of others, over all of which the event holds one root."""
    of, detail = said["of"], event["detail"]
    need(event["act"] == "purged" and detail["kind"] == of["kind"] and detail["count"] == proof["count"])
    need(proof["leaf"] == f"{of['kind']}:{of['key']}:{of['cause']}" and said["purged_at"] >= event["at"])
    need(type(proof["index"]) is int and type(proof["count"]) is int and 0 <= proof["index"] < proof["count"])
    root = root_over(leaf_hash(proof["leaf"].encode()), proof["index"], proof["count"], proof["path"])
    need(root.hex() == detail["root"])
    what = f"{of['kind']!a} {of['key']!a} ({of['cause']!a})"
    return f"{what} was purged at {event['at']!a}. What it says of each store is its issuer's word."


def of_account(said: Any, event: Any) -> str:
    """The event holds the digest of all that the certificate says."""
    need(event["act"] == "erasure_certified" and "asked_at" in said)
    need(event["detail"]["certificate"] == digest({name: one for name, one in said.items() if name != "proof"}))
    return f"an account was erased by {event['at']!a}, with what the certificate lists."


def leaf_hash(content: bytes) -> bytes:
    return hashlib.sha256(b"\0" + content).digest()


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
        sys.exit(f"The certificate does not hold. This is not so: {so[-1]}.")
    print(*(f"ok  {claim}" for claim in so[1:]), proven, sep="\n")
