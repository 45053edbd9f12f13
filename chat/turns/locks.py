"""The rows that a turn holds until its commit, always in this order: person, standing, conversation.

What was read before a lock is read again under it: in between somebody may have been switched off, left the workspace,
deleted the conversation or asked elsewhere.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from accounts.errors import NotFound
from accounts.models import User, Workspace
from chat import access
from chat.errors import Busy
from chat.models import Conversation, Message

if TYPE_CHECKING:
    from chat.models.message import MessageQuerySet

MOST_OPEN = 5  # answers of one person that are written at once; one person must not take all of a worker's threads


def hold_person(user: User, workspace: Workspace) -> None:
    """One turn at a time per person: allowance, open answers and repeated requests are judged without a race."""
    # NO KEY: rows that point to the person go on being written.
    here = User.objects.select_for_update(no_key=True, of=("self",)).filter(pk=user.pk, is_active=True)
    if not here.filter(memberships__workspace=workspace).values_list("pk"):
        raise NotFound


def hold_conversation(user: User, conversation: Conversation) -> None:
    """Serialise the turns of one conversation; NotFound if it was hidden, deleted or purged meanwhile."""
    rows = access.conversations_of(user).select_for_update(of=("self",))
    try:
        conversation.refresh_from_db(from_queryset=rows)
    except Conversation.DoesNotExist:
        raise NotFound from None


def refuse_while_busy(user: User, parent: Message | None, reopen: Message | None, *, asks: bool) -> None:
    """Raise Busy where an answer is still being written to what this turn builds on, or in too many places."""
    mine = Message.objects.open().filter(conversation__author=user)
    here = _in_the_way(parent, reopen, asks=asks)
    if here is not None and here.exists():
        raise Busy
    if mine.count() >= MOST_OPEN:
        raise Busy(f"{MOST_OPEN} answers are being written for you already. Wait for one, or stop one.")


def _in_the_way(parent: Message | None, reopen: Message | None, *, asks: bool) -> "MessageQuerySet | None":
    """A question goes below an answer that has ended; another answer goes beside answers that have ended."""
    if reopen is not None:
        return Message.objects.open().filter(pk=reopen.pk)
    if parent is None:
        return None
    return Message.objects.open().filter(pk=parent.pk) if asks else Message.objects.open().filter(parent=parent)


def asked_before(user: User, workspace: Workspace, request: UUID) -> Message | None:
    """What this very request stored, if it came before: a repeated send makes no second turn.

    NotFound if that is deleted since, or in another workspace.
    """
    stored = Message.objects.filter(author=user, request=request).first()
    if stored is None:
        return None
    visible = access.conversations_of(user).filter(workspace=workspace, pk=stored.conversation_id)
    if not visible.exists():
        raise NotFound
    return stored
