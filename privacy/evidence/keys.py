"""The keys that vouch for the ledger. No database holds them: they come from the environment or a private file."""

import hashlib

from django.conf import settings


def mac_key() -> tuple[str, bytes]:
    """The id and the bytes of the key that events are authenticated with now."""
    key = settings.LEDGER_MAC_KEY.encode()
    return key_id(key), key


def key_id(key: bytes) -> str:
    """The name of a key: the beginning of its SHA-256, in hexadecimal."""
    return hashlib.sha256(key).hexdigest()[:16]
