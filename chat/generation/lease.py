"""Who writes an answer: a lease on its row, taken by a conditional UPDATE and counted by attempts.

Every UPDATE of a writer names the attempt it was made under, so that one that was silent too long changes nothing.
Conditions stand on the row itself, never behind a join: Django would put a join into a sub-query, and of two UPDATEs
that meet, the one that waited would then judge the row as it was before.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import F

from accounts import clock
from accounts.plans import grant_of
from chat.generation.prompt import turns_before
from chat.models import Message
from chat.models.message import State
from chat.providers.base import Turn

LEASE = timedelta(seconds=15)


@dataclass(frozen=True)
class Work:
    """An answer to be written, claimed under `attempt`; `text` is what earlier attempts left."""

    pk: int
    answer: UUID
    attempt: int
    text: str
    turns: Sequence[Turn]
    stopped: bool
    revived: bool  # another worker began this and fell silent


CLAIM = """
WITH unheld AS (
    SELECT message.id, message.lease_until, workspace.plan, workspace.overrides
    FROM chat_message AS message
        JOIN chat_conversation AS conversation ON conversation.id = message.conversation_id
        JOIN accounts_workspace AS workspace ON workspace.id = conversation.workspace_id
    WHERE message.id = %(pk)s AND message.state IN ('waiting', 'streaming') AND conversation.deleted_at IS NULL
        AND (message.lease_until IS NULL OR message.lease_until < %(now)s)
    FOR UPDATE OF message
)
UPDATE chat_message AS message SET attempt = attempt + 1, state = 'streaming', lease_until = %(until)s
FROM unheld WHERE message.id = unheld.id
RETURNING message.public_id, message.attempt, message.text, message.parent_id,
    message.stop_requested_at IS NOT NULL, unheld.lease_until IS NOT NULL, unheld.plan, unheld.overrides
"""


def claim(pk: int) -> Work | None:
    """Take the lease of an open answer that nobody holds; None if there is none to take.

    Whoever waited for the row sees it as it has become, finds it held, and goes.
    """
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"pk": pk, "now": now, "until": now + LEASE})
        row = cursor.fetchone()
    if row is None:
        return None
    public_id, attempt, text, question, stopped, revived, plan, overrides = row
    turns = turns_before(question, grant_of(plan, json.loads(overrides)).context_tokens)
    return Work(pk, public_id, attempt, text, turns, stopped, revived)


@dataclass(frozen=True)
class Saved:
    """A row that was still ours when its text was saved."""

    pk: int
    attempt: int
    stop_requested: bool


def save(rows: Iterable[tuple[int, int, str | None]]) -> list[Saved]:
    """Save the text so far (None: as it was) of many answers (pk, attempt, text) and extend their leases in one UPDATE.

    Rows missing from the result were lost: another attempt writes them, or they ended or were deleted.
    """
    pks, attempts, texts = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE chat_message AS message SET text = coalesce(draft.text, message.text), lease_until = %s
            FROM unnest(%s::bigint[], %s::int[], %s::text[]) AS draft (pk, attempt, text)
            WHERE message.id = draft.pk AND message.attempt = draft.attempt AND message.state = 'streaming'
            RETURNING message.id, message.attempt, message.stop_requested_at IS NOT NULL
            """,
            [clock.now() + LEASE, list(pks), list(attempts), list(texts)],
        )
        return [Saved(*row) for row in cursor.fetchall()]


def renew(pk: int, attempt: int) -> int | None:
    """A new attempt for the same writer, whose journal was lost; None if the answer is no longer its own."""
    mine = Message.objects.filter(pk=pk, attempt=attempt, state=State.STREAMING)
    return attempt + 1 if mine.update(attempt=F("attempt") + 1, lease_until=clock.now() + LEASE) else None


def release(pk: int, attempt: int, text: str) -> None:
    """Hand an unfinished answer back, with its text, to the next worker that comes."""
    mine = Message.objects.filter(pk=pk, attempt=attempt, state=State.STREAMING)
    mine.update(text=text, lease_until=clock.now() - timedelta(microseconds=1))
