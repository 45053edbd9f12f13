"""What an event says, as bytes: the one form that hashes, MACs, receipts and checkers agree on. Pure."""

import hashlib
import hmac
from datetime import datetime
from typing import Any
from uuid import UUID

from privacy.canonical import digest, moment

FORM = 1


def said(
    *,
    key: UUID,
    subject: UUID | None,
    actor: UUID | None,
    act: str,
    terms: str,
    source: str,
    at: datetime,
    detail: dict[str, Any],
    context: dict[str, Any],
    previous: str,
) -> dict[str, Any]:
    """Everything an event says, ready to be written canonically."""
    return {
        "form": FORM,
        "key": str(key),
        "subject": str(subject) if subject else None,
        "actor": str(actor) if actor else None,
        "act": act,
        "terms": terms,
        "source": source,
        "at": moment(at),
        "detail": detail,
        "context": context,
        "previous": previous,
    }


def hash_of(event: dict[str, Any]) -> str:
    """SHA-256 of what an event says, in hexadecimal: what the next event of the same subject points back at."""
    return digest(event)


def mac_of(hashed: str, key: bytes) -> str:
    """HMAC-SHA256 of an event's hash under `key`."""
    return hmac.new(key, bytes.fromhex(hashed), hashlib.sha256).hexdigest()
