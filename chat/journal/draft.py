"""One answer being written, as its worker holds it in memory and hands it to the journal."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from chat.journal.keys import Step


@dataclass(eq=False)
class Draft:
    """`text` is the whole answer so far; its first `sent` characters are in the journal, in `steps` entries.

    With no steps the journal has nothing of this attempt, and the next entry carries the whole text.
    """

    pk: int
    answer: UUID
    attempt: int
    text: str
    urgent: asyncio.Event
    sent: int = 0
    steps: int = 0
    saved: int = 0  # characters that the row has
    renewing: bool = False  # the row may have a newer attempt already
    ended_by: str = ""  # why its stream was cancelled, if it was

    def append(self, piece: str) -> None:
        """Take a piece. The first one is sent at once; later ones wait for the tick."""
        if self.steps <= 1 and self.sent == len(self.text):
            self.urgent.set()
        self.text += _storable(piece)

    @property
    def pending(self) -> bool:
        return self.steps == 0 or self.sent < len(self.text)

    @property
    def unsaved(self) -> str | None:
        """The text, if the row has not all of it: text only grows, so its length tells."""
        return self.text if len(self.text) > self.saved else None

    @property
    def next_step(self) -> Step:
        return self.attempt, self.steps + 1

    def restart(self, attempt: int) -> None:
        """Begin the journal anew under a new attempt."""
        self.attempt, self.steps, self.sent = attempt, 0, 0


def _storable(piece: str) -> str:
    """Without NUL, which PostgreSQL refuses, and lone surrogates, which nothing encodes.

    All answers of a process are saved by one statement and sent in one pipeline: one bad character would stop them all.
    """
    return piece.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
