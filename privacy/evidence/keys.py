"""The keys that vouch for the ledger. No database holds the secret ones: they come from the environment or private
files. The database knows the public halves of those that sign, and the ids of those that authenticate.

A process may have been started before a rotation: which key signs is said by the newest public key in the database,
and the secret half is looked for among all that are at hand.
"""

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from privacy.evidence import files, heads
from privacy.models import LedgerKey

MAC_FILE, SIGNING_FILE = "ledger_mac_key", "ledger_signing_key"


class NoSigningKey(Exception):
    """The secret half of the newest public key is not at hand on this machine."""


# --- Authenticating events --------------------------------------------------------


def mac_key() -> tuple[str, bytes]:
    """The id and the bytes of the key that events are authenticated with now."""
    key = settings.LEDGER_MAC_KEY.encode()
    return key_id(key), key


def mac_keys() -> dict[str, bytes]:
    """Every key that events were ever authenticated with, by id, as far as it is at hand: for checking."""
    known = [settings.LEDGER_MAC_KEY, *settings.LEDGER_OLD_MAC_KEYS, *files.every(MAC_FILE)]
    return {key_id(key.encode()): key.encode() for key in known}


def key_id(key: bytes) -> str:
    """The name of a key: the beginning of its SHA-256, in hexadecimal."""
    return hashlib.sha256(key).hexdigest()[:16]


# --- Signing heads ------------------------------------------------------------------


def signing_key() -> Ed25519PrivateKey:
    """The secret half of the newest public key. Raises NoSigningKey."""
    newest = LedgerKey.objects.last()
    if newest is None:
        return private(settings.LEDGER_SIGNING_KEY)
    for key in at_hand():
        if heads.key_id(heads.public_of(key)) == newest.key_id:
            return key
    raise NoSigningKey(f"the secret half of the signing key {newest.key_id} is not at hand")


def at_hand() -> list[Ed25519PrivateKey]:
    """Every secret signing key that this process can find."""
    secrets = [settings.LEDGER_SIGNING_KEY, settings.LEDGER_OLD_SIGNING_KEY, *files.every(SIGNING_FILE)]
    return [private(secret) for secret in dict.fromkeys(secrets) if secret]


def private(secret: str) -> Ed25519PrivateKey:
    """The key that a secret stands for: any text, the longer and the more random the better."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(secret.encode()).digest())


def listed() -> list[dict[str, str]]:
    """The public keys as they are published, the oldest first."""
    return [key.published() for key in LedgerKey.objects.all()]
