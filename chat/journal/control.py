"""The control stream: what must reach every web and generation process, in one order, each exactly once.

Kinds: `stop` (an answer, to whoever writes it), `ended` (an answer has its terminal state), `rendered` (its HTML is
stored), `changed` (a conversation got a turn, title or branch), `gone` (a conversation), `standing` (a person's choice
changed), `terms` (for everybody: terms were published, or a deadline moved), `signed_out` (a person, somewhere), `left`
(a person, a workspace). Ids only; never text.
"""

from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from chat.journal import connection, replies

KEY = "parley:control"
REMEMBERED = 10_000


@dataclass(frozen=True)
class Command:
    """One entry; `fields` hold ids as text."""

    kind: str
    fields: dict[str, str]


def publish(kind: str, **fields: Any) -> None:
    """Append a command. Raises redis' errors if Valkey is away; callers after a commit let `effects` swallow them."""
    entry: dict[Any, Any] = {"kind": kind, **{name: str(value) for name, value in fields.items()}}
    try:
        connection.plain().xadd(KEY, entry, maxlen=REMEMBERED, approximate=True)
    except RedisError as error:
        raise OSError(type(error).__name__) from error


def parse(entry: dict[bytes, bytes]) -> Command:
    fields = {name.decode(): value.decode() for name, value in entry.items()}
    return Command(fields.pop("kind", ""), fields)


async def latest() -> bytes:
    """The id to read on from. (`$` in every read would miss what comes between two reads.)"""
    last = replies.entries(await connection.for_loop().xrevrange(KEY, count=1))
    return last[0][0] if last else b"0"
