"""Who writes an answer: a lease on its row, taken by a conditional UPDATE and counted by attempts.

Every UPDATE of a writer names the attempt it was made under, so that one that was silent too long changes nothing.
Conditions stand on the row itself, never behind a join: Django would put a join into a sub-query, and of two UPDATEs
that meet, the one that waited would then judge the row as it was before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q

from accounts import clock
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


def claim(pk: int) -> Work | None:
    """Take the lease of an open answer that nobody holds; None if there is none to take."""
    now = clock.now()
    with transaction.atomic():
        unheld = Message.objects.open().undeleted().filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now), pk=pk)
        # Locked as it is now; whoever waited for the lock finds it held, and goes.
        answer = unheld.select_for_update(of=("self",)).select_related("conversation__workspace").first()
        if answer is None:
            return None
        before, answer.attempt = answer.lease_until, answer.attempt + 1
        Message.objects.filter(pk=pk).update(attempt=answer.attempt, state=State.STREAMING, lease_until=now + LEASE)
    return Work(
        pk=pk,
        answer=answer.public_id,
        attempt=answer.attempt,
        text=answer.text,
        turns=turns_before(answer),
        stopped=answer.stop_requested_at is not None,
        revived=before is not None,
    )


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
