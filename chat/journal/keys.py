"""Names and ids of journals.

The journal of an answer is one Redis Stream with explicit ids *attempt-step* (1-1, 1-2, …). The first entry of an
attempt carries the whole text so far; later ones what follows. A writer that lost its lease still writes with the
older attempt and is refused by Redis itself.
"""

import re
from collections.abc import Iterable
from uuid import UUID

from chat.journal import connection

SECONDS_KEPT = 3600
Step = tuple[int, int]
START: Step = (0, 0)

TEXT, WHOLE = b"t", b"w"


def key(answer: UUID | str) -> str:
    return f"parley:journal:{answer}"


def as_id(step: Step) -> str:
    return f"{step[0]}-{step[1]}"


def parse_step(text: str | bytes | None) -> Step | None:
    """`"1-5"` as numbers; None for anything else."""
    if isinstance(text, bytes):
        text = text.decode()
    found = re.fullmatch(r"(\d{1,9})-(\d{1,9})", text or "", re.ASCII)
    return (int(found[1]), int(found[2])) if found else None


def forget(answers: Iterable[UUID | str]) -> None:
    """Drop journals at once. A late writer cannot bring one back (NOMKSTREAM)."""
    names = [key(answer) for answer in answers]
    if names:
        connection.plain().unlink(*names)
