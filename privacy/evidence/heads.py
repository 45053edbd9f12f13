"""Signed tree heads and the keys that sign them: their form, signing and checking. No Django, no database.

A head says that at a moment the tree had so many leaves and this root. What is signed is text, a C2SP checkpoint
(c2sp.org/tlog-checkpoint): origin, size, root in base64, and one extension line with the moment. With the signature
line below it is a signed note (c2sp.org/signed-note), which the usual tools read:

    chat.example.org/parley
    1024
    47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
    at 2026-11-24T16:39:17.000000Z

    — chat.example.org/parley 3q2+7wAAAA…

The same as JSON is `{"origin", "size", "root" (hex), "at", "key", "signature" (base64)}`.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"  # the kind of signature, as signed notes count them
FIELDS = ("origin", "size", "root", "at", "key", "signature")


class BadSignature(Exception):
    """A head or a key is not what it claims; the message says in which way."""


# --- Heads ----------------------------------------------------------------------


def text_of(head: Mapping[str, Any]) -> str:
    """What is signed of a head (given as JSON; its signature is not looked at)."""
    root = base64.b64encode(unhexed(head["root"])).decode()
    return f"{head['origin']}\n{head['size']}\n{root}\nat {head['at']}\n"


def sign(head: Mapping[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """The head with the id of the key and its signature."""
    signature = base64.b64encode(key.sign(text_of(head).encode())).decode()
    return {**head, "key": key_id(public_of(key)), "signature": signature}


def verify_head(head: Mapping[str, Any], keys: Mapping[str, str]) -> None:
    """Check a head (as JSON) against public keys (base64, by id). Raises BadSignature."""
    if (public := keys.get(head.get("key", ""))) is None:
        raise BadSignature(f"the key {head.get('key')!r} is not known")
    try:
        said = text_of(head).encode()
    except (KeyError, TypeError, ValueError) as error:
        raise BadSignature("it is no head") from error
    _verify(public, head.get("signature", ""), said)


def note(head: Mapping[str, Any], public: str) -> str:
    """The head as a signed note, given the public key that its signature is checked with."""
    signature = base64.b64decode(head["signature"])
    marked = base64.b64encode(_note_hash(head["origin"], public) + signature).decode()
    return f"{text_of(head)}\n— {head['origin']} {marked}\n"


def from_note(note: str, keys: Mapping[str, str]) -> dict[str, Any]:
    """A head given as a signed note, as JSON. Raises BadSignature if it is none, or none by these keys."""
    try:
        text, _, mark = note.replace("\r\n", "\n").partition("\n\n")
        origin, size, root, at = text.split("\n")
        marked = base64.b64decode(mark.split()[2])
        head = {"origin": origin, "size": int(size), "root": base64.b64decode(root).hex(), "at": at.removeprefix("at ")}
    except (ValueError, IndexError) as error:
        raise BadSignature("it is no signed note") from error
    signer = next((name for name, public in keys.items() if _note_hash(origin, public) == marked[:4]), "")
    return {**head, "key": signer, "signature": base64.b64encode(marked[4:]).decode()}


def verifier_key(origin: str, public: str) -> str:
    """A public key as tools that read signed notes want it: name, hash and key."""
    key = base64.b64encode(ED25519 + base64.b64decode(public)).decode()
    return f"{origin}+{_note_hash(origin, public).hex()}+{key}"


def _note_hash(origin: str, public: str) -> bytes:
    return hashlib.sha256(origin.encode() + b"\n" + ED25519 + base64.b64decode(public)).digest()[:4]


# --- Keys -----------------------------------------------------------------------


def public_of(key: Ed25519PrivateKey) -> str:
    """The public key in base64."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def key_id(public: str) -> str:
    """The name of a public key (base64): the beginning of its SHA-256, in hexadecimal."""
    return hashlib.sha256(_decoded(public)).hexdigest()[:16]


def vouch(key: Mapping[str, Any], by: Ed25519PrivateKey) -> str:
    """The signature (base64) with which the key before vouches for `key` ({"key", "public", "from"})."""
    return base64.b64encode(by.sign(_vouched(key))).decode()


def verify_keys(listed: list[dict[str, Any]]) -> dict[str, str]:
    """Follow published keys from the first to the last; returns them by id. Raises BadSignature.

    Whoever has kept the first one, and finds it first here, trusts the rest by that.
    """
    keys: dict[str, str] = {}
    before = ""
    for key in listed:
        try:
            if key["key"] != key_id(key["public"]):
                raise BadSignature(f"the key {key['key']} is another than its name says")
            if key["vouched_by"] != before:
                raise BadSignature(f"the key {key['key']} is not vouched for by the one before it")
            if before:
                _verify(keys[before], key["voucher"], _vouched(key), f"the voucher for the key {key['key']}")
        except (KeyError, TypeError, ValueError) as error:
            raise BadSignature("it is no list of keys") from error
        before = key["key"]
        keys[before] = key["public"]
    return keys


def _vouched(key: Mapping[str, Any]) -> bytes:
    """What a voucher signs; no checkpoint reads like it."""
    return f"parley ledger key\n{key['key']}\n{key['public']}\nfrom {key['from']}\n".encode()


def _verify(public: str, signature: str, said: bytes, what: str = "its signature") -> None:
    try:
        Ed25519PublicKey.from_public_bytes(_decoded(public)).verify(_decoded(signature), said)
    except (InvalidSignature, TypeError, ValueError) as error:
        raise BadSignature(f"{what} is wrong") from error


# --- Spelling -------------------------------------------------------------------
# Bytes have one spelling each: who compares texts and who compares bytes must find the same.


def _decoded(text: str) -> bytes:
    """What base64 stands for. Raises ValueError for another spelling of the same bytes."""
    found = base64.b64decode(text, validate=True)
    if base64.b64encode(found).decode() != text:
        raise ValueError("base64 in another spelling")
    return found


def unhexed(text: str) -> bytes:
    """What lower-case hexadecimal stands for. Raises ValueError for any other spelling."""
    found = bytes.fromhex(text)
    if found.hex() != text:
        raise ValueError("hexadecimal in another spelling")
    return found
