"""What the model is given: the branch that leads to the answer, cut to what fits."""

from collections.abc import Iterable

from django.conf import settings
from django.db.models.functions import Length

from chat.models import Message
from chat.models.message import Role
from chat.providers.base import Turn

CHARACTERS_PER_TOKEN = 3  # a cautious mean over languages; the model's own limit is the judge
SHARE_FOR_QUESTION = 0.7  # of the context; the rest is room for the answer


def turns_before(answer: Message) -> list[Turn]:
    """The turns that lead to `answer`, oldest first; the oldest are left out where the context is too small."""
    fitting = _fitting(_branch(answer), _budget(answer.conversation.workspace.grant.context_tokens))
    turns = [
        Turn("assistant" if role == Role.ASSISTANT else "user", text)
        for role, text in Message.objects.filter(pk__in=fitting).order_by("pk").values_list("role", "text")
    ]
    return turns[1:] if turns[0].role == "assistant" and len(turns) > 1 else turns


def _branch(answer: Message) -> list[int]:
    """The messages that lead to `answer`, newest first. The tree is read without its texts, which may be long."""
    parents = dict(answer.conversation.messages.filter(pk__lt=answer.pk).values_list("pk", "parent"))
    branch: list[int] = []
    at = answer.parent_id
    while at is not None:
        branch.append(at)
        at = parents[at]
    return branch


def _fitting(branch: list[int], budget: int) -> Iterable[int]:
    """The newest messages of `branch` whose texts fit `budget`, and the last one however long it is."""
    lengths = dict(Message.objects.filter(pk__in=branch).values_list("pk", Length("text")))
    fitting: list[int] = []
    for pk in branch:
        budget -= lengths[pk]
        if budget < 0 and fitting:
            break
        if lengths[pk]:  # an answer that failed at once said nothing
            fitting.append(pk)
    return fitting


def _budget(granted: int) -> int:
    """Characters of history that fit the smaller of plan and model."""
    return int(min(granted, settings.MODEL["context_tokens"]) * CHARACTERS_PER_TOKEN * SHARE_FOR_QUESTION)
