"""Who writes an answer: a lease on its row, taken by a conditional UPDATE and counted by attempts.

Every UPDATE names the attempt it was made under, so that a writer that was silent too long changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q

from accounts import clock
from chat.generation.prompt import turns_before
from chat.models import Conversation, Message
from chat.models.message import OPEN_STATES, State
from chat.providers.base import Turn
from chat.turns import effects
from privacy import standings, tagging
from privacy.models import Standing

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
    before = Message.objects.filter(pk=pk).values_list("lease_until", flat=True).first()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    taken = (
        Message.objects.open()
        .filter(free, pk=pk, conversation__deleted_at__isnull=True)
        .update(attempt=F("attempt") + 1, state=State.STREAMING, lease_until=now + LEASE)
    )
    if not taken:
        return None
    answer = Message.objects.select_related("conversation__workspace").get(pk=pk)
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


def save(rows: Iterable[tuple[int, int, str]]) -> list[Saved]:
    """Save the text so far of many answers (pk, attempt, text) and extend their leases, in one UPDATE.

    Rows missing from the result were lost: another attempt writes them, or they ended or were deleted.
    """
    pks, attempts, texts = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE chat_message AS message SET text = draft.text, lease_until = %s
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


@transaction.atomic
def finish(pk: int, attempt: int, text: str, state: State, error: str = "") -> bool:
    """End an answer: its text, state and moment, and the conversation's activity and tag. False if it was lost."""
    assert state not in OPEN_STATES
    author = Conversation.objects.filter(messages=pk).values_list("author", flat=True).first()
    if author is None:  # purged meanwhile
        return False
    row = Standing.objects.for_turn(author)
    conversation = (
        Conversation.objects.select_for_update(of=("self",)).select_related("workspace", "author").get(messages=pk)
    )
    now = clock.now()
    mine = Message.objects.filter(pk=pk, attempt=attempt, state=State.STREAMING)
    if not mine.update(text=text, html="", state=state, error=error, finished_at=now, lease_until=None):
        return False
    conversation.last_activity_at = now
    facts = standings.as_facts(conversation.author, row)
    columns = tagging.tag(conversation, facts, standings.schedule_for(conversation.workspace, row))
    conversation.save(update_fields=["last_activity_at", *columns])
    effects.answer_ended(Message.objects.get(pk=pk), conversation)
    return True
