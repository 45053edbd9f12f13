"""What is found in a text: where, of which kind, and how surely. Patterns of ours and of detect-secrets; no network.

Of detect-secrets only the patterns are used: its plugins would ask the services whether a secret is still good.
"""

import math
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, NamedTuple

import regex
from detect_secrets import plugins
from detect_secrets.plugins.base import RegexBasedDetector

SETTINGS_FILE = Path(__file__).with_name("settings.toml")
SURE = 0.9
SEPARATOR = regex.compile(r"[\s./-]")
SPACE = r"\s+"
NOT_SECRET = {"IPPublicDetector", "PrivateKeyDetector"}  # Presidio finds the first; of the second the head alone


class Found(NamedTuple):
    start: int
    end: int
    kind: str
    score: float


@dataclass(frozen=True)
class Looked:
    """One pattern. `entropy` is what a match must have of it, in bits for each character; `check` names the module of
    python-stdnum by which a number must be right.
    """

    pattern: Any
    kind: str
    score: float
    group: int = 0
    entropy: float = 0.0
    check: str = ""

    def found(self, text: str, seconds: float) -> Iterator[Found]:
        for match in self.pattern.finditer(text, timeout=seconds):
            start, end = match.span(self.group)
            if self.check:
                end = self._right(text, start, end)
            if start < end and (not self.entropy or entropy(text[start:end]) >= self.entropy):
                yield Found(*_without_edges(text, start, end), self.kind, self.score)

    def _right(self, text: str, start: int, end: int) -> int:
        """Where the longest right number ends that begins at `start`: words that follow may look like a part of it."""
        while start < end and not _checker(self.check)(SEPARATOR.sub("", text[start:end])):
            end = max((gap.start() for gap in SEPARATOR.finditer(text, start, end)), default=start)
        return end


@cache
def read_settings() -> dict[str, Any]:
    return tomllib.loads(SETTINGS_FILE.read_text())


def entropy(text: str) -> float:
    """Bits for each character, by how often each occurs."""
    shares = (count / len(text) for count in Counter(text).values())
    return -sum(share * math.log2(share) for share in shares)


@cache
def _checker(name: str) -> Callable[[str], bool]:
    is_valid: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid
    return is_valid


@cache
def patterns() -> tuple[Looked, ...]:
    ours = [Looked(regex.compile(one.pop("pattern")), **one) for one in deepcopy(read_settings()["patterns"])]
    return (*ours, *_of_detect_secrets())


@lru_cache(maxsize=1_000)
def of_name(name: str) -> tuple[Looked, ...]:
    """Patterns for somebody's own name: as a whole in any case, and each word of it as one writes names."""
    words = [word for word in name.split() if len(word) > 2 and any(map(str.isalpha, word))]
    if not words:
        return ()
    whole = Looked(regex.compile(rf"(?i)(?<!\w){SPACE.join(map(regex.escape, name.split()))}(?!\w)"), "NAME", SURE)
    forms = {form for word in words for form in (word[:1].upper() + word[1:], word.upper())}
    parts = regex.compile(rf"(?<!\w)(?:{'|'.join(sorted(map(regex.escape, forms), key=len, reverse=True))})(?!\w)")
    return whole, Looked(parts, "NAME", SURE)


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
