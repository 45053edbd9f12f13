"""One way to write a value down, so that everybody who hashes it hashes the same bytes.

JSON with sorted keys, no spaces, UTF-8 and nothing escaped but what must be: for objects of strings, whole numbers,
booleans and null this is RFC 8785. Moments are strings in UTC with microseconds. Pure.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any


def canonical(value: Any) -> bytes:
    """The canonical JSON of `value`. Raises TypeError for what has no one way to be written, such as fractions."""
    _refuse_ambiguous(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of `value`, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def moment(when: datetime) -> str:
    """2025-08-28T00:00:00.000000Z"""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _refuse_ambiguous(value: Any) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"keys are strings, not {type(key).__name__}")
            _refuse_ambiguous(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_ambiguous(item)
    elif not (value is None or isinstance(value, str | int)):
        raise TypeError(f"{type(value).__name__} has no canonical form")
