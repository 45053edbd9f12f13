"""What the model is given: the branch that leads to the answer, cut to what fits."""

from django.conf import settings

from chat.models import Message
from chat.models.message import Role
from chat.providers.base import Turn

CHARACTERS_PER_TOKEN = 3  # a cautious mean over languages; the model's own limit is the judge
SHARE_FOR_QUESTION = 0.7  # of the context; the rest is room for the answer


def turns_before(answer: Message) -> list[Turn]:
    """The turns that lead to `answer`, oldest first; the oldest are left out where the context is too small."""
    conversation = answer.conversation
    rows = {row.pk: row for row in conversation.messages.filter(pk__lt=answer.pk).only("parent_id", "role", "text")}
    budget = _budget(conversation.workspace.grant.context_tokens)
    turns: list[Turn] = []
    at = answer.parent_id
    while at is not None:
        row = rows[at]
        budget -= len(row.text)
        if budget < 0 and turns:
            break
        if row.text:  # an answer that failed at once said nothing
            turns.append(Turn("assistant" if row.role == Role.ASSISTANT else "user", row.text))
        at = row.parent_id
    turns.reverse()
    return turns[1:] if turns[0].role == "assistant" and len(turns) > 1 else turns


def _budget(granted: int) -> int:
    """Characters of history that fit the smaller of plan and model."""
    return int(min(granted, settings.MODEL["context_tokens"]) * CHARACTERS_PER_TOKEN * SHARE_FOR_QUESTION)
