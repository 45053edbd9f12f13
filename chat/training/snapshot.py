"""The beginning of a set: what is eligible at one moment, written down by one statement.

Everything afterwards reads by these rows, so that a set has one moment however long it takes to build. They decide
nothing: every conversation is asked for again when it is read, and once more when the set is sealed.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, QuerySet

from accounts import clock
from chat.models import Conversation, Feedback, TrainingChunk, TrainingMember, TrainingSet
from chat.training import filtering
from privacy import ledger
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from accounts.models import User

CHUNK = 1_000  # members that one task reads and filters
TRIES = 3
MEMBERS = """
INSERT INTO chat_trainingmember (training_set_id, conversation_id, message_id, key, chunk, outcome)
SELECT %s, conversation, message, gen_random_uuid(), (row_number() OVER (ORDER BY conversation, message) - 1) / %s, ''
FROM (
    SELECT id, NULL::bigint FROM ({eligible}) AS whole
    UNION ALL SELECT conversation_id, message_id FROM ({apart}) AS apart
) AS eligible (conversation, message)
"""
CHUNKS = """
INSERT INTO chat_trainingchunk (training_set_id, number, files, permissions)
SELECT DISTINCT training_set_id, chunk, '[]'::jsonb, '{}'::jsonb FROM chat_trainingmember WHERE training_set_id = %s
"""


def begin(
    *,
    reason: str,
    by: "User | None" = None,
    format: str = TrainingSet.Format.PARQUET,
    filtered: bool = True,
    chunk: int = CHUNK,
) -> TrainingSet:
    """A new set of what may train now, with nothing read yet.

    `filtered` False is for benchmarks and tests of format: such a set is never sealed.
    """
    version = filtering.version() if filtered else ""
    for _ in range(TRIES - 1):
        try:
            return _begin(reason, by, format, version, chunk)
        except IntegrityError:  # something was purged while the statement ran
            continue
    return _begin(reason, by, format, version, chunk)


def _begin(reason: str, by: "User | None", format: str, version: str, chunk: int) -> TrainingSet:
    with _one_moment():
        now = clock.now()
        made = TrainingSet.objects.create(reason=reason.strip(), format=format, filter=version, snapshot_at=now)
        eligible = Conversation.objects.trainable(now)
        whole, of_whole = eligible.order_by().values("id").query.sql_with_params()
        apart, of_apart = _exchanges(eligible, now).query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(MEMBERS.format(eligible=whole, apart=apart), [made.pk, chunk, *of_whole, *of_apart])
            made.total = cursor.rowcount
            cursor.execute(CHUNKS, [made.pk])
        made.not_eligible = dict(_reasons(Conversation.objects.all()) - _reasons(eligible))
        made.save(update_fields=["total", "not_eligible"])
        source = Source.ADMIN if by else Source.OPERATOR
        detail = {"set": str(made.public_id), "eligible": made.total, "reason": made.reason}
        ledger.record(Act.TRAINING_SET_ASKED, source=source, actor=by, detail=detail, at=now)
    return made


def _exchanges(eligible: QuerySet[Conversation], at: datetime) -> QuerySet[Feedback, dict[str, int]]:
    """The exchanges that their person allowed, of conversations that are not in the set as a whole."""
    apart = Conversation.objects.apart(at).order_by().values("pk")
    allowed = Feedback.objects.allowing().filter(message__conversation__in=apart)
    left = allowed.exclude(message__conversation__in=eligible.order_by().values("pk"))
    return left.annotate(conversation_id=F("message__conversation")).values("conversation_id", "message_id")


def _reasons(rows: QuerySet[Conversation]) -> Counter[str]:
    return Counter(dict(rows.order_by().values_list("tag_reason").annotate(count=Count("pk"))))


@contextmanager
def _one_moment() -> Iterator[None]:
    """One snapshot for all statements, where no transaction is under way."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def unread(training_set: TrainingSet) -> int:
    return TrainingChunk.objects.filter(training_set=training_set, done_at__isnull=True).count()


def outcomes(training_set: TrainingSet) -> dict[str, int]:
    """How many members by what became of them."""
    members = TrainingMember.objects.filter(training_set=training_set)
    return dict(members.order_by().values_list("outcome").annotate(count=Count("pk")))
