"""The filter: nothing sensitive is written to a set. `settings.toml` beside this says what is taken for sensitive.

What is found surely becomes a placeholder (`[EMAIL_1]`), the same for the same value all through a conversation and
meaning nothing beyond it. What the filter is not sure of, or fails on, is not let
through: the conversation is left out.
"""

import hashlib
from collections.abc import Iterable, Sequence
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from chat.training.filtering.finding import Found

# Presidio takes seconds and a hundred megabytes to load: only where something is filtered.
LIBRARIES = ("presidio-analyzer", "detect-secrets", "phonenumbers", "python-stdnum")


class Unsure(Exception):
    """Something in the text may be sensitive, or may not. Says of which kind it would be, and nothing of the text."""


class Unreadable(Exception):
    """The filter failed on a text, or would have taken too long."""


def version() -> str:
    """Names exactly this filter: its settings, its code, its libraries and its model for names, if there is one."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.*")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    said = [f"{name} {version_of(name)}" for name in LIBRARIES] + [names_model()]
    digest.update("\n".join(said).encode())
    return digest.hexdigest()[:16]


def recall() -> dict[str, float]:
    """How much of each kind is found at the least, as measured (docs/training.md): what a release states."""
    from chat.training.filtering import finding

    return dict(finding.read_settings()["recall"])


def names_model() -> str:
    """The model for names with its version; empty where names are not looked for."""
    if not settings.TRAINING_NAMES_MODEL:
        return ""
    from chat.training.filtering import people

    return people.names_model()


def clean(texts: Sequence[str], *, name: str = "") -> list[str]:
    """The texts of one conversation without what is sensitive, and without its author's `name`.

    Raises Unsure, Unreadable.
    """
    placeholders: dict[tuple[str, str], str] = {}
    return [_replaced(text, find(text, name=name), placeholders) for text in texts]


def find(text: str, *, name: str = "") -> list["Found"]:
    """What is surely sensitive in a text, in its order and without overlaps. Raises Unsure, Unreadable."""
    from chat.training.filtering import finding, people

    said = finding.read_settings()
    if len(text) > said["longest"]:
        raise Unreadable
    try:
        found = people.find(text)
        for looked in (*finding.patterns(), *finding.of_name(name)):
            found += looked.found(text, said["seconds"])
    except Exception:  # whatever it was, the text is not let through, nor is it in any log by an error's words
        raise Unreadable from None
    sure = _merged(one for one in found if one.score >= said["replace"])
    doubtful = [one for one in found if said["unsure"] <= one.score < said["replace"]]
    for one in doubtful:
        if not any(other.start <= one.start and one.end <= other.end for other in sure):
            raise Unsure(one.kind)
    return sure


def _merged(found: Iterable["Found"]) -> list["Found"]:
    """Findings that overlap become one, of the kind that is surest, the longest first: no rest of any is left."""
    merged: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        last = merged[-1] if merged else None
        if last is None or one.start >= last.end:
            merged.append(one)
            continue
        best = max(last, one, key=lambda one: (one.score, one.end - one.start))
        merged[-1] = best._replace(start=last.start, end=max(last.end, one.end))
    return merged


def _replaced(text: str, found: Sequence["Found"], placeholders: dict[tuple[str, str], str]) -> str:
    pieces, at = [], 0
    for one in found:
        value = (one.kind, _plain(one.kind, text[one.start : one.end]))
        if value not in placeholders:
            number = sum(kind == one.kind for kind, _ in placeholders) + 1
            placeholders[value] = f"[{one.kind}_{number}]"
        pieces += [text[at : one.start], placeholders[value]]
        at = one.end
    return "".join([*pieces, text[at:]])


def _plain(kind: str, value: str) -> str:
    """One value however it is written: spaces and dashes are nothing in a number, case is none in an address."""
    if kind in ("SECRET", "KEY"):
        return value
    kept = value if kind in ("EMAIL", "NAME", "IP", "MAC") else "".join(filter(str.isalnum, value))
    return " ".join(kept.casefold().split())
