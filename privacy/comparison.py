"""What changed between two texts, word by word. Pure.

Paragraphs are matched first and words within those that are alike but differ, so that long texts stay quick to compare
and nobody reads two sentences woven into each other. Headings (in Markdown) are known as such.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

MOST_WORDS = 2_000  # of one changed stretch; a longer one is shown as taken out and put in as a whole
ALIKE = 0.5  # the share of words in common from which a paragraph counts as another one's new form
AHEAD = 20  # how many paragraphs are looked at for the one that another has become
HEADING = re.compile(r"(#{1,6})\s+(.*?)(?:\s+#+)?$")


@dataclass(frozen=True)
class Piece:
    """Words in a row that were kept (`same`), put in (`in`) or taken out (`out`)."""

    kind: str
    text: str


@dataclass(frozen=True)
class Paragraph:
    pieces: list[Piece]
    heading: bool = False


@dataclass(frozen=True)
class _Text:
    """A paragraph of one of the two texts."""

    text: str
    heading: bool
    words: Counter[str] = field(compare=False, hash=False)


def compare(before: str, after: str) -> list[Paragraph]:
    """The paragraphs of both texts in reading order, each in pieces."""
    old, new = _paragraphs(before), _paragraphs(after)
    found: list[Paragraph] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found += [Paragraph([Piece("same", kept.text)], kept.heading) for kept in new[c:d]]
        else:
            found += _changed(old[a:b], new[c:d])
    return found


def _paragraphs(text: str) -> list[_Text]:
    apart = re.sub(r"^#{1,6}\s.*$", r"\n\g<0>\n", text, flags=re.MULTILINE)  # also where no empty line sets them apart
    return [_text(" ".join(part.split())) for part in re.split(r"\n\s*\n", apart) if part.strip()]


def _text(part: str) -> _Text:
    heading = HEADING.match(part)
    text = heading[2] if heading else part
    return _Text(text, heading is not None, Counter(text.split()))


def _changed(old: Sequence[_Text], new: Sequence[_Text]) -> Iterator[Paragraph]:
    """What stands in the same place: new forms of old paragraphs are compared by words, others went or came."""
    gone = came = 0
    for before, after in [*_matches(old, new), (len(old), len(new))]:
        yield from (Paragraph([Piece("out", one.text)], one.heading) for one in old[gone:before])
        yield from (Paragraph([Piece("in", one.text)], one.heading) for one in new[came:after])
        if before < len(old):
            yield Paragraph(_words(old[before].text, new[after].text), new[after].heading)
        gone, came = before + 1, after + 1


def _matches(old: Sequence[_Text], new: Sequence[_Text]) -> Iterator[tuple[int, int]]:
    """Which old paragraph has become which new one, in the order of both."""
    free = 0
    for index, after in enumerate(new):
        for before in range(free, min(free + AHEAD, len(old))):
            if _alike(old[before], after):
                yield before, index
                free = before + 1
                break


def _alike(before: _Text, after: _Text) -> bool:
    common = 2 * (before.words & after.words).total()
    return before.heading == after.heading and common >= ALIKE * (before.words.total() + after.words.total())


def _words(before: str, after: str) -> list[Piece]:
    old, new = before.split(), after.split()
    if max(len(old), len(new)) > MOST_WORDS:
        return [Piece("out", before), Piece("in", after)]
    found: list[Piece] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Piece("same", " ".join(new[c:d])))
            continue
        if a < b:
            found.append(Piece("out", " ".join(old[a:b])))
        if c < d:
            found.append(Piece("in", " ".join(new[c:d])))
    return found
