"""What is found in a text: where, of which kind, and how surely. Patterns of ours and of detect-secrets; no network.

Of detect-secrets only the patterns are used: its plugins would ask the services whether a secret is still good.
"""

import math
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, NamedTuple

import regex
from detect_secrets import plugins
from detect_secrets.plugins.base import RegexBasedDetector

SETTINGS_FILE = Path(__file__).with_name("settings.toml")
SURE = 0.9
NOT_SECRET = {"IPPublicDetector", "PrivateKeyDetector"}  # Presidio finds the first; of the second the head alone


class Found(NamedTuple):
    start: int
    end: int
    kind: str
    score: float


@dataclass(frozen=True)
class Looked:
    """One pattern. `entropy` is what a match must have of it, in bits for each character."""

    pattern: Any
    kind: str
    score: float
    group: int = 0
    entropy: float = 0.0

    def found(self, text: str, seconds: float) -> Iterator[Found]:
        for match in self.pattern.finditer(text, timeout=seconds):
            start, end = match.span(self.group)
            if start < end and (not self.entropy or entropy(text[start:end]) >= self.entropy):
                yield Found(*_without_edges(text, start, end), self.kind, self.score)


@cache
def read_settings() -> dict[str, Any]:
    return tomllib.loads(SETTINGS_FILE.read_text())


def entropy(text: str) -> float:
    """Bits for each character, by how often each occurs."""
    shares = (count / len(text) for count in Counter(text).values())
    return -sum(share * math.log2(share) for share in shares)


@cache
def patterns() -> tuple[Looked, ...]:
    ours = [
        Looked(regex.compile(one["pattern"]), one["kind"], one["score"], one.get("group", 0), one.get("entropy", 0.0))
        for one in read_settings()["patterns"]
    ]
    return (*ours, *_of_detect_secrets())


def _of_detect_secrets() -> Iterator[Looked]:
    for module in iter_modules(plugins.__path__):
        import_module(f"{plugins.__name__}.{module.name}")
    found: list[Any] = sorted(RegexBasedDetector.__subclasses__(), key=lambda plugin: plugin.__name__)
    for plugin in found:
        if plugin.__name__ not in NOT_SECRET:
            for one in plugin.denylist:
                yield Looked(regex.compile(one.pattern, one.flags & ~regex.UNICODE), "SECRET", SURE)


def _without_edges(text: str, start: int, end: int) -> tuple[int, int]:
    """Patterns of detect-secrets take a separator before and after with them."""
    while start < end and text[start] in " \t\r\n=:\"'":
        start += 1
    while end > start and text[end - 1] in " \t\r\n\"'":
        end -= 1
    return start, end
