"""The rows that a turn holds until its commit, always in this order: person, standing, conversation.

What was read before a lock is read again under it: in between somebody may have been switched off, left the workspace,
deleted the conversation or asked elsewhere.
"""

from uuid import UUID

from accounts import clock
from accounts.errors import NotFound
from accounts.models import User, Workspace
from chat import access
from chat.errors import Busy
from chat.models import Conversation, Message
from privacy import retagging

MOST_OPEN = 5  # answers of one person that are written at once; one person must not take all of a worker's threads


def hold_person(user: User, workspace: Workspace) -> None:
    """One turn at a time per person: allowance, open answers and repeated requests are judged without a race."""
    # NO KEY: rows that point to the person go on being written.
    here = User.objects.select_for_update(no_key=True, of=("self",)).filter(pk=user.pk, is_active=True)
    if not here.filter(memberships__workspace=workspace).values_list("pk"):
        raise NotFound


def hold_conversation(user: User, conversation: Conversation) -> None:
    """Serialise the turns of one conversation; NotFound if it was hidden, deleted or purged meanwhile, or is hidden by
    what was decided and had not reached it yet.
    """
    rows = access.conversations_of(user).select_for_update(of=("self",))
    try:
        conversation.refresh_from_db(from_queryset=rows)
    except Conversation.DoesNotExist:
        raise NotFound from None
    retagging.catch_up_one(conversation)
    if conversation.hidden_from and conversation.hidden_from <= clock.now():
        raise NotFound


def refuse_while_busy(user: User, parent: Message | None, reopen: Message | None, *, asks: bool) -> None:
    """Raise Busy where an answer is still being written to what this turn builds on, or in too many places.

    A question goes below an answer that has ended; another answer goes beside answers that have ended.
    """
    mine = Message.objects.open().filter(conversation__author=user).order_by("pk")
    open_now = list(mine.values_list("pk", "parent_id")[:MOST_OPEN])
    if reopen is not None or asks:
        builds_on = reopen or parent
        in_the_way = builds_on is not None and any(pk == builds_on.pk for pk, _ in open_now)
    else:
        in_the_way = parent is not None and any(above == parent.pk for _, above in open_now)
    if in_the_way:
        raise Busy
    if len(open_now) >= MOST_OPEN:
        raise Busy(f"{MOST_OPEN} answers are being written for you already. Wait for one, or stop one.")


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
