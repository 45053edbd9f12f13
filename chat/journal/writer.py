"""Writing journals: all drafts of a process in one pipeline per tick.

Redis itself keeps writers apart: an entry of an older attempt, or an entry twice, is refused. A refusal means that the
answer is somebody else's now, unless reading back shows that only the reply was lost.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from redis.exceptions import RedisError, ResponseError

from chat.journal import connection, keys, replies
from chat.journal.draft import Draft

logger = logging.getLogger(__name__)


class Fate(Enum):
    """What became of a draft's entry."""

    WRITTEN = "written"
    REFUSED = "refused"  # a newer attempt writes here: stop
    MISSING = "missing"  # the journal is gone: begin it anew, or stop if the answer was deleted
    UNREACHABLE = "unreachable"  # Valkey is away: keep the text and try again


@dataclass(frozen=True)
class Entry:
    """What is sent for one draft: its text from `sent` up to `until`."""

    draft: Draft
    text: str
    until: int

    @property
    def whole(self) -> bool:
        return self.draft.steps == 0


async def flush(drafts: Sequence[Draft]) -> list[tuple[Draft, Fate]]:
    """Send what each draft has to send, in one round trip."""
    entries = [Entry(draft, draft.text[draft.sent :], len(draft.text)) for draft in drafts]
    pipeline = connection.for_loop().pipeline(transaction=False)
    for entry in entries:
        name = keys.key(entry.draft.answer)
        fields: dict[bytes, str] = {keys.TEXT: entry.text, **({keys.WHOLE: "1"} if entry.whole else {})}
        pipeline.xadd(name, fields, id=keys.as_id(entry.draft.next_step), nomkstream=not entry.whole)  # type: ignore[arg-type]
        pipeline.expire(name, keys.SECONDS_KEPT)
    try:
        replies = await pipeline.execute(raise_on_error=False)
    except (RedisError, OSError) as error:
        logger.warning("journals unreachable: %s", type(error).__name__)
        return [(draft, Fate.UNREACHABLE) for draft in drafts]
    return [(entry.draft, await _judge(entry, reply)) for entry, reply in zip(entries, replies[::2], strict=True)]


async def _judge(entry: Entry, reply: object) -> Fate:
    draft, until = entry.draft, entry.until
    if isinstance(reply, ResponseError) and "equal or smaller" in str(reply):
        try:
            written = await _written_before(draft)
        except (RedisError, OSError):  # nobody knows yet: the next flush is refused likewise, and reads again
            return Fate.UNREACHABLE
        if written is None:
            return Fate.REFUSED
        until = draft.sent + len(written)
    elif isinstance(reply, Exception):
        logger.warning("journal entry not written: %s", type(reply).__name__)
        return Fate.UNREACHABLE
    elif reply is None:
        return Fate.MISSING
    draft.steps += 1
    draft.sent = until
    return Fate.WRITTEN


async def _written_before(draft: Draft) -> str | None:
    """The text of this very step, if it stands there: only its own writer can have put it, and the reply was lost."""
    step = keys.as_id(draft.next_step)
    found = replies.entries(await connection.for_loop().xrange(keys.key(draft.answer), step, step))
    return found[0][1][keys.TEXT].decode() if found else None
