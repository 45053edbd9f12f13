"""What a provider is: turns in, pieces of text out, one kind of exception."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from chat.providers.errors import FailureCode, ProviderError

__all__ = ["FailureCode", "Provider", "ProviderError", "Request", "Turn", "provider_for"]


@dataclass(frozen=True)
class Turn:
    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True)
class Request:
    """One answer to be written. With `continue_last` the last turn is the answer's own beginning."""

    turns: Sequence[Turn]
    model: str
    max_tokens: int | None = None
    continue_last: bool = False


class Provider(Protocol):
    # Whether it goes on from an assistant's beginning, so that beginning + pieces is the whole answer.
    can_continue: bool

    def stream(self, request: Request) -> AsyncGenerator[str, None]:
        """The answer in pieces. Raises ProviderError, with CUT_SHORT after the last piece of an answer that reached the
        greatest length; closing or cancelling it ends the request at once.
        """

    async def aclose(self) -> None:
        """Let go of the connections of the running event loop."""


def provider_for(model: Mapping[str, Any]) -> Provider:
    """The provider of a mapping shaped like `settings.MODEL`: one per process for equal mappings.

    It may be asked for outside an event loop; connections are opened in whichever loop streams.
    """
    return _provider(tuple(sorted(model.items())))


@lru_cache(maxsize=64)
def _provider(items: tuple[tuple[str, Any], ...]) -> Provider:
    model = dict(items)
    provider: Provider = import_string(settings.PROVIDERS[model["provider"]])(model)
    return provider


def without_trailing_space(request: Request) -> tuple[Request, str]:
    """The request with nothing blank in it, and the white space cut from the beginning to be continued.

    Services refuse blank turns or, given a blank beginning, answer with parts of their template. White
    space at the end of a beginning is refused by some and misleads the others: a token carries the
    space before its word. `Seam` gives it back, so that beginning and pieces still join byte for byte.
    """
    cut = ""
    turns = list(request.turns)
    if request.continue_last and turns and turns[-1].role == "assistant":
        beginning = turns[-1].text.rstrip()
        cut = turns[-1].text[len(beginning) :]
        turns[-1] = Turn("assistant", beginning)
        if not beginning:
            request = replace(request, continue_last=False)
    spoken = [turn for turn in turns if turn.text.strip()]
    return replace(request, turns=spoken), cut


class Seam:
    """Swallows from a continuation the white space that the reader already has."""

    def __init__(self, cut: str) -> None:
        self._cut = cut

    def join(self, piece: str) -> str:
        """The part of `piece` that is new."""
        if not self._cut:
            return piece
        same = 0
        while same < min(len(piece), len(self._cut)) and piece[same] == self._cut[same]:
            same += 1
        # A piece that ends inside the white space leaves the rest of it for the next one.
        self._cut = self._cut[same:] if same == len(piece) else ""
        return piece[same:]
