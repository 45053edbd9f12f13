"""What changed between two texts, word by word. Pure.

Paragraphs are matched first and words within those that differ, so that long texts stay quick to compare.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

MOST_WORDS = 2_000  # of one changed stretch; a longer one is shown as taken out and put in as a whole


@dataclass(frozen=True)
class Piece:
    """Words in a row that were kept (`same`), put in (`in`) or taken out (`out`)."""

    kind: str
    text: str


Paragraph = list[Piece]


def compare(before: str, after: str) -> list[Paragraph]:
    """The paragraphs of both texts in reading order, each in pieces."""
    old, new = _paragraphs(before), _paragraphs(after)
    found: list[Paragraph] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found += [[Piece("same", text)] for text in new[c:d]]
        else:
            found += _changed(old[a:b], new[c:d])
    return found


def _paragraphs(text: str) -> list[str]:
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def _changed(old: list[str], new: list[str]) -> Iterator[Paragraph]:
    """Paragraphs that stand in each other's place are compared by words; what is left over came or went."""
    for before, after in zip(old, new, strict=False):
        yield _words(before, after)
    for before in old[len(new) :]:
        yield [Piece("out", before)]
    for after in new[len(old) :]:
        yield [Piece("in", after)]


def _words(before: str, after: str) -> Paragraph:
    old, new = before.split(), after.split()
    if max(len(old), len(new)) > MOST_WORDS:
        return [Piece("out", before), Piece("in", after)]
    found: Paragraph = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Piece("same", " ".join(new[c:d])))
            continue
        if a < b:
            found.append(Piece("out", " ".join(old[a:b])))
        if c < d:
            found.append(Piece("in", " ".join(new[c:d])))
    return found
