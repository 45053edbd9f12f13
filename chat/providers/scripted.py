"""A provider without a model: deterministic answers, delays and failures, for tests and measurements.

A script is JSON after `/script ` on a line of the last question, or the query of the mapping's `url`
(`scripted:?words=300&delay=0.02`). Without one, the answer is a few paragraphs derived from the question.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from chat.providers.base import Request
from chat.providers.errors import FailureCode, ProviderError, loads

MARK = "/script "
MOST_PIECES = 200_000
ODD_SIZES = (1, 2, 3, 5, 7, 11, 13)  # characters; no word, code fence or emoji sequence survives whole


@dataclass(frozen=True, kw_only=True)
class Script:
    pieces: tuple[str, ...] = ()
    repeat: int = 1  # times that `pieces` are said
    words: int = 0  # instead of pieces: so many numbered words
    first_delay: float = 0.0  # seconds before the first piece
    delay: float = 0.0  # seconds from one piece to the next
    chunk: str = ""  # "odd": cut anew into uneven pieces; "whole": one piece
    fail_after: int | None = None  # pieces before the failure; a continuation does not fail again
    failure: str = FailureCode.BROKEN.value
    retry_after: float | None = None
    stall_after: int | None = None  # pieces before an endless silence; likewise


class ScriptedProvider:
    can_continue = True

    def __init__(self, model: Mapping[str, Any]) -> None:
        self._options = dict(parse_qsl(urlsplit(str(model.get("url") or "")).query))
        self.can_continue = bool(model.get("continues", True))

    async def stream(self, request: Request) -> AsyncGenerator[str, None]:
        beginning = ""
        if request.continue_last and request.turns and request.turns[-1].role == "assistant":
            beginning = request.turns[-1].text
        question = next((turn.text for turn in reversed(request.turns) if turn.role == "user"), "")
        script = _script(question, self._options)
        pieces = list(_pieces(script, question))
        if not "".join(pieces).startswith(beginning):
            raise ProviderError(FailureCode.REFUSED, "the beginning to be continued is not this script's")
        loop = asyncio.get_running_loop()
        due = loop.time() + script.first_delay
        known = len(beginning)
        for index, piece in enumerate([*pieces, ""]):
            if not beginning:
                await _misbehave(script, index)
            if known >= len(piece):
                known -= len(piece)
                continue
            # By the clock, not by the length of naps: n pieces take n delays, however busy the machine is.
            await asyncio.sleep(max(due - loop.time(), 0))
            due += script.delay
            yield piece[known:]
            known = 0

    async def aclose(self) -> None:
        return None


async def _misbehave(script: Script, index: int) -> None:
    if index == script.fail_after:
        raise ProviderError(FailureCode(script.failure), "scripted", retry_after=script.retry_after)
    if index == script.stall_after:
        await asyncio.Event().wait()


def _script(question: str, options: Mapping[str, Any]) -> Script:
    line = next((line for line in reversed(question.splitlines()) if line.startswith(MARK)), "")
    script = _read(loads(line.removeprefix(MARK).encode()) if line else options)
    if script is None:
        raise ProviderError(FailureCode.REFUSED, "unreadable script")
    return script


def _read(given: Any) -> Script | None:
    """None rather than an exception: that one would quote the question."""
    try:
        script = Script(**{name: _typed(name, value) for name, value in given.items()})
        FailureCode(script.failure)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return script if max(script.words, len(script.pieces) * script.repeat) <= MOST_PIECES else None


def _typed(name: str, value: Any) -> Any:
    """A value as its field wants it: those of a URL come as text."""
    kind = {field.name: str(field.type) for field in fields(Script)}[name]
    if name == "pieces":
        return tuple(str(piece) for piece in (value.split("|") if isinstance(value, str) else value))
    return int(value) if "int" in kind else float(value) if "float" in kind else str(value)


def _pieces(script: Script, question: str) -> list[str]:
    if script.words:
        pieces = [f"word{number} " for number in range(1, script.words + 1)]
    elif script.pieces:
        pieces = list(script.pieces) * script.repeat
    else:
        pieces = _spoken(question)
    if script.chunk == "whole":
        return ["".join(pieces)]
    return _cut_oddly("".join(pieces)) if script.chunk == "odd" else pieces


def _cut_oddly(text: str) -> list[str]:
    pieces, at, turn = [], 0, 0
    while at < len(text):
        size = ODD_SIZES[turn % len(ODD_SIZES)]
        pieces.append(text[at : at + size])
        at, turn = at + size, turn + 1
    return pieces


def _spoken(question: str) -> list[str]:
    """An answer with something of everything that pages must show, in pieces of a word each."""
    subject = " ".join(question.split())[:80] or "nothing at all"
    mark = hashlib.sha256(question.encode()).hexdigest()[:8]
    text = (
        f"You asked: {subject}\n\n"
        "Here is a **scripted answer**: the same question always gets the same one. It has several "
        "paragraphs, a list, code and letters from many places.\n\n"
        "1. First, Grüße aus Köln, and *naïve* café.\n"
        "2. Then 日本語, العربية and עברית.\n"
        "3. Last, a family of emoji: 👩‍👩‍👧‍👦 and a flag 🇫🇮.\n\n"
        "```python\n"
        "def answer(question: str) -> str:\n"
        f'    return "{mark}"  # <b>not bold</b>\n'
        "```\n\n"
        f"That is all there is to say; its mark is `{mark}`.\n"
    )
    words = text.split(" ")
    return [word + " " for word in words[:-1]] + [words[-1]]
