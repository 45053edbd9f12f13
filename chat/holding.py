"""What the chat holds of people, as privacy's registry wants it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.plans import GRANTS
from chat import erasure, parts, sheets
from chat.feedback import replaying
from chat.journal import control, keys
from chat.models import Conversation, Feedback, Message, SpentTurn, TrainingMember
from chat.training import expiring
from chat.turns.stop import end_answers
from privacy import announce, holdings
from privacy.truth import OneOf

if TYPE_CHECKING:
    from accounts.models import User

JOURNALS = "journals"
CALLED = {
    Conversation._meta.label_lower: gettext_lazy("Conversations"),
    "conversations": gettext_lazy("What was counted and noted beside them"),
    "messages": gettext_lazy("Messages"),
    "feedback": gettext_lazy("Thumbs and comments on answers"),
    JOURNALS: gettext_lazy("Answers as they were being written"),
}
# One look at each message. Its size is as it is stored, compressed where it is: nothing long is read for a number.
PURGE = """
WITH gone AS (
    DELETE FROM chat_message WHERE conversation_id = ANY(%s)
    RETURNING conversation_id, public_id, role, operator, pg_column_size(text) + pg_column_size(html) AS size,
        role = 'assistant' AND state <> 'waiting' AND operator <> '' AS reached
)
SELECT conversation_id, count(*), sum(size)::bigint,
    coalesce(array_agg(public_id::text) FILTER (WHERE role = 'assistant'), '{}'),
    ARRAY(SELECT jsonb_object_keys(jsonb_object_agg(operator, 1) FILTER (WHERE reached)))
FROM gone GROUP BY conversation_id
"""
FEEDBACK = """
WITH gone AS (
    DELETE FROM chat_feedback USING chat_message AS message
    WHERE message.id = message_id AND conversation_id = ANY(%s)
    RETURNING conversation_id, pg_column_size(comment) AS size
)
SELECT conversation_id, count(*), sum(size)::bigint FROM gone GROUP BY conversation_id
"""


def register() -> None:
    announce.when_terms_change(_terms_changed)
    holdings.register(
        holdings.Holding(
            name="conversations",
            models=(Conversation, Message, Feedback, SpentTurn),
            parts=parts.PARTS,
            fence=erasure.fence,
            erase=erasure.erase,
            tagged=Conversation,
            describe=_describe,
            transcript=_transcript,
            sheets=sheets.sheets,
            purge_children=_purge_children,
            purged=(Feedback,),
            stores={JOURNALS: keys.forget},
            called=CALLED,
            end=end_answers,
            expire=_expire,
            replays={"feedback": replaying.replay},
            standing_changed=_standing_changed,
        )
    )
    holdings.register(
        holdings.Holding(
            name="training sets",
            models=(TrainingMember,),
            parts=(),
            withheld={TrainingMember: "The page of each chat says in how many training sets it is."},
            erase=_nothing_of_anybody,
        )
    )


def _describe(conversation: Conversation) -> holdings.Described:
    title = conversation.title or _("New chat")
    return holdings.Described(title, reverse("chat:why", args=[conversation.public_id]))


def _transcript(conversation: Conversation) -> Iterator[holdings.Said]:
    """All messages of all branches, the oldest first, as they were written."""
    numbers: dict[int, int] = {}
    for number, row in enumerate(conversation.messages.order_by("pk").defer("html"), 1):
        numbers[row.pk] = number
        who = _("Question") if row.role == Message.Role.USER else row.model or _("Answer")
        yield holdings.Said(number, numbers.get(row.parent_id or 0), who, row.created_at, row.text)


def _nothing_of_anybody(_: "User") -> Iterator[int]:
    """A member forgets its conversation when that is purged; the rest is a random key, which stays on drop lists."""
    yield from ()


def _terms_changed() -> None:
    control.publish("terms")


def _purge_children(conversations: Sequence[int]) -> holdings.Purged:
    """Messages go, and what was said of them. What was in a training set leaves the key there, which every run is told
    to drop.
    """
    members = TrainingMember.objects.filter(OneOf("conversation", ",".join(map(str, conversations))))
    members.update(conversation=None, message=None)
    said = _purged(FEEDBACK, conversations) if Feedback.objects.exists() else []
    gone, thumbs = _purged(PURGE, conversations), {pk: {"feedback": count} for pk, count, _ in said}
    went = {
        pk: holdings.Went(
            {"messages": count, **thumbs.get(pk, {})}, {JOURNALS: answers} if answers else {}, sorted(operators)
        )
        for pk, count, _, answers, operators in gone
    }
    rows, size = (sum(row[column] for row in (*gone, *said)) for column in (1, 2))
    return holdings.Purged(rows=rows, bytes=size, of=went)


def _purged(sql: str, conversations: Sequence[int]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(conversations)])
        found: list[Any] = cursor.fetchall()
    return found


def _expire(now: datetime) -> None:
    """Past the longest window a spent turn limits nothing, and says when somebody wrote. Sets left unsealed go too."""
    expiring.forget_unsealed(now)
    longest = max(grant.window for grant in GRANTS.values())
    SpentTurn.objects.filter(at__lt=now - longest).delete()


def _standing_changed(user: int) -> None:
    control.publish("standing", user=user)
