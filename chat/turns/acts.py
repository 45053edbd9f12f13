"""What people do with a conversation, in words of the page: each act ends in `begin_turn` or needs no gate."""

from typing import TYPE_CHECKING
from uuid import UUID

from accounts.access import workspace_for
from accounts.errors import NotFound
from chat.access import conversation_for, message_for
from chat.errors import NotPossible
from chat.models import Message
from chat.models.message import Role, State
from chat.turns.begin import Turn, begin_turn

if TYPE_CHECKING:
    from accounts.models import User


def ask(
    user: "User",
    *,
    workspace: UUID,
    conversation: UUID | None,
    parent: UUID | None,
    text: str,
    request: UUID | None = None,
    temporary: bool = False,
) -> Turn:
    """A new question: in a new conversation, or below the answer `parent` (None: the end of the shown branch).

    `temporary` says what a new conversation is; one that is there stays what it was begun as.
    """
    if conversation is None:
        place = workspace_for(user, workspace)
        return begin_turn(user=user, workspace=place, text=text, request=request, temporary=temporary)
    held = conversation_for(user, conversation)
    below = message_for(user, parent) if parent else held.leaf
    if below is not None and (below.conversation_id != held.pk or below.role != Role.ASSISTANT):
        raise NotFound
    return begin_turn(user=user, workspace=held.workspace, conversation=held, parent=below, text=text, request=request)


def edit(user: "User", *, message: UUID, text: str, request: UUID | None = None) -> Turn:
    """Ask `message` anew in other words: a branch beside it; what was there stays."""
    question = _message(user, message, Role.USER)
    held = question.conversation
    return begin_turn(
        user=user, workspace=held.workspace, conversation=held, parent=question.parent, text=text, request=request
    )


def regenerate(user: "User", *, message: UUID, request: UUID | None = None) -> Turn:
    """Another answer beside `message`."""
    answer = _message(user, message, Role.ASSISTANT)
    held = answer.conversation
    return begin_turn(user=user, workspace=held.workspace, conversation=held, parent=answer.parent, request=request)


def retry(user: "User", *, message: UUID, request: UUID | None = None) -> Turn:
    """Once more after a failure: the same answer if it said nothing, else another beside it. Nothing is lost."""
    answer = _message(user, message, Role.ASSISTANT)
    if answer.text:
        return regenerate(user, message=message, request=request)
    return _reopen(user, message, {State.FAILED, State.STOPPED, State.INTERRUPTED})


def resume(user: "User", *, message: UUID, request: UUID | None = None) -> Turn:
    """Go on with an answer that did not come to its end, from where it ended."""
    return _reopen(user, message, {State.STOPPED, State.INTERRUPTED, State.FAILED})


def _reopen(user: "User", public_id: UUID, states: set[State]) -> Turn:
    answer = _message(user, public_id, Role.ASSISTANT)
    if answer.state not in states:
        raise NotPossible
    held = answer.conversation
    return begin_turn(user=user, workspace=held.workspace, conversation=held, reopen=answer)


def _message(user: "User", public_id: UUID, role: Role) -> Message:
    message = message_for(user, public_id)
    if message.role != role:
        raise NotFound
    return message


TURNS = {"regenerate": regenerate, "retry": retry, "continue": resume}
