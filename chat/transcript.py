"""The transcript of a conversation: the shown branch, with what can be done about each message."""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from chat.models import Conversation, Feedback, Message


@dataclass(frozen=True)
class Entry:
    """One message of the shown branch among its siblings."""

    message: Message
    siblings: list[UUID]
    feedback: Feedback | None = None  # what its author said of it

    @property
    def count(self) -> int:
        return len(self.siblings)

    @property
    def position(self) -> int:
        return self.siblings.index(self.message.public_id) + 1

    @property
    def previous_sibling(self) -> UUID | None:
        return self.siblings[self.position - 2] if self.position > 1 else None

    @property
    def next_sibling(self) -> UUID | None:
        return self.siblings[self.position] if self.position < self.count else None

    @property
    def can_regenerate(self) -> bool:
        return self.message.role == Message.Role.ASSISTANT and not self.message.is_open

    @property
    def can_edit(self) -> bool:
        return self.message.role == Message.Role.USER


def transcript(conversation: Conversation) -> list[Entry]:
    """The entries from the root to the shown leaf. Three queries, whatever the length; bodies of this branch only."""
    siblings: dict[int | None, list[UUID]] = defaultdict(list)
    parents: dict[int, int | None] = {}
    for pk, parent, public_id in conversation.messages.order_by("pk").values_list("pk", "parent", "public_id"):
        siblings[parent].append(public_id)
        parents[pk] = parent
    path: list[int] = []
    at = conversation.leaf_id
    while at is not None:
        path.append(at)
        at = parents.get(at)
    rows = Message.objects.in_bulk(path)
    said = {one.message_id: one for one in Feedback.objects.filter(message__in=path, user=conversation.author)}
    return [Entry(rows[pk], siblings[rows[pk].parent_id], said.get(pk)) for pk in reversed(path) if pk in rows]
