"""What people are given of their conversations (docs/export.md)."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from chat.access import conversations_of
from chat.models import Conversation, Feedback, Message, SpentTurn
from privacy.badge import badge
from privacy.holdings import Part
from privacy.policy import Standing
from privacy.portability import paged, pages
from privacy.standings import standing_of

if TYPE_CHECKING:
    from accounts.models import User

CONVERSATIONS, MESSAGES = 100, 100  # a page of each
RENDERED = 40  # messages with their HTML, which may be long


def conversations(user: "User") -> Iterator[dict[str, Any]]:
    """What the person may still see, in every workspace they are in, each with all its messages."""
    standing = standing_of(user)
    mine = conversations_of(user).annotate(shown=F("leaf__public_id"))
    for page in pages(mine, CONVERSATIONS):
        messages = groupby(messages_of(user, [row.pk for row in page]), key=lambda message: message.conversation_id)
        of, rows = next(messages, (None, None))
        for conversation in page:
            if of == conversation.pk and rows is not None:
                yield _conversation(conversation, standing, map(_message, rows))
                of, rows = next(messages, (None, None))
            else:
                yield _conversation(conversation, standing, iter(()))


def feedback(user: "User") -> Iterator[dict[str, Any]]:
    """What the person said of answers that they may still see."""
    seen = Feedback.objects.filter(user=user, message__conversation__in=conversations_of(user).order_by().values("pk"))
    for one in paged(seen.select_related("message__conversation")):
        yield {
            "id": one.key,
            "conversation": one.message.conversation.public_id,
            "message": one.message.public_id,
            "thumb": one.thumb,
            "comment": one.comment,
            "may_train": one.may_train,
            "given_at": one.given_at,
            "decided_at": one.decided_at,
        }


def spent_turns(user: "User") -> Iterator[dict[str, Any]]:
    for turn in paged(SpentTurn.objects.filter(user=user).select_related("workspace")):
        yield {"workspace": turn.workspace.public_id, "at": turn.at}


def messages_of(user: "User", conversations: Sequence[int], *, html: bool = False) -> Iterator[Message]:
    """The messages of these conversations, one conversation after the other, a page at a time.

    What somebody else asked, and what they were answered, is theirs. A conversation that is deleted meanwhile ends.
    """
    own = Q(author=user) | Q(role=Message.Role.ASSISTANT)
    rows = (
        Message.objects.filter(own, Q(parent=None) | Q(parent__role=Message.Role.ASSISTANT) | _own_above(user))
        .annotate(above=F("parent__public_id"))
        .order_by("conversation_id", "pk")
    )
    rows, size = (rows, RENDERED) if html else (rows.defer("html"), MESSAGES)
    at = (0, 0)
    while left := [pk for pk in conversations if pk >= at[0]]:
        here = conversations_of(user).filter(pk__in=left).order_by().values("pk")
        after = Q(conversation__gt=at[0]) | Q(conversation=at[0], pk__gt=at[1])
        page = list(rows.filter(after, conversation__in=here)[:size])
        yield from page
        if len(page) < size:
            return
        at = (page[-1].conversation_id, page[-1].pk)


def _own_above(user: "User") -> Q:
    return Q(parent__author=user)


def _conversation(row: Conversation, standing: Standing, messages: Iterator[dict[str, Any]]) -> dict[str, Any]:
    said = badge(row, standing)
    return {
        "id": row.public_id,
        "workspace": row.workspace.public_id,
        "title": row.title,
        "title_by": row.title_source,
        "begun_at": row.begun_at,
        "last_activity_at": row.last_activity_at,
        "temporary": row.temporary,
        "kept": row.kept,
        "tag": {
            "class": row.tag_class,
            "reason": row.tag_reason,
            "in_words": said.sentence,
            "trains": said.trains,
            "trains_until": row.trains_until,
            "hidden_from": row.hidden_from,
            "purge_after": row.purge_after,
        },
        "shown": row.shown,  # type: ignore[attr-defined]  # annotated
        "messages": messages,
    }


def _message(row: Message) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "parent": row.above,  # type: ignore[attr-defined]  # annotated
        "role": row.role,
        "state": row.state,
        "text": row.text,
        "written_at": row.created_at,
        "finished_at": row.finished_at,
        "model": row.model,
        "operator": row.operator,
    }


PARTS = (
    Part(
        "conversations",
        _("your conversations, with every message and branch, and what applies to each"),
        (Conversation, Message),
        conversations,
    ),
    Part("feedback", _("your thumbs and comments on answers, and which exchanges may train"), (Feedback,), feedback),
    Part("messages_counted", _("the messages that count towards your plan's limit"), (SpentTurn,), spent_turns),
)
