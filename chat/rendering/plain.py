"""Plain text out of Markdown, for a line in a list."""

import re

from chat.rendering.characters import made_harmless

LONGEST = 60
_FENCE = re.compile(r"(```|~~~)[^\n]*\n.*?(\1|\Z)", re.DOTALL)
_LINK = re.compile(r"!?\[([^\[\]]{0,200})\]\([^()\s]{0,2000}[^()]{0,200}\)")
_LINE_MARKS = re.compile(r"^\s{0,10}(?:(?:>|#{1,6}\s|[-*+]\s|\d{1,9}[.)]\s)[ \t]{0,10})+(\[[ xX]\]\s)?", re.MULTILINE)
_EMPHASIS = re.compile(r"(?<!\w)[*_~`]{1,3}(?=\S)|(?<=\S)[*_~`]{1,3}(?!\w)")
_SENTENCE = re.compile(r"(?<=[.!?。！？])(\s|$)")


def title_of(text: str, longest: int = LONGEST) -> str:
    """The first sentence of `text` without markup, at most `longest` characters, cut between words; or ""."""
    text = made_harmless(text)[:5_000]
    words = _LINE_MARKS.sub("", _LINK.sub(r"\1", _FENCE.sub(" ", text) if _FENCE.sub(" ", text).strip() else text))
    line = next((line.strip() for line in words.splitlines() if line.strip(" `~*_#>-")), "")
    line = " ".join(_EMPHASIS.sub("", line).split())
    sentence = _SENTENCE.split(line, maxsplit=1)[0] if len(line) > longest else line
    if len(sentence) <= longest:
        return sentence
    cut = sentence[: longest - 1]
    whole_words, space, _ = sentence[:longest].rpartition(" ")
    return (whole_words if space and len(whole_words) > longest // 2 else cut).rstrip(" ,;:-") + "…"
