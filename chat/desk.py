"""What sockets ask for: short synchronous calls, one per step, that answer in frames.

All sockets of a process share a few threads for these (chat/threads.py), so each is short and never waits.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.urls import reverse

from accounts.errors import NotFound
from accounts.models import User
from accounts.visits import Visit, visitor
from chat import access, frames
from chat.frames import Again, Ask, Edit, Frame
from chat.journal.control import Command
from chat.models import Message
from chat.turns import acts
from chat.turns.begin import Turn
from chat.turns.stop import stop as stop_answer
from privacy.gate import OPEN, owed_by_all

R = TypeVar("R")
Ended = tuple[str, Frame | None]  # an answer of which no more comes, and what its page is told


def for_visitor(visit: Visit, do: Callable[..., R], *args: Any) -> R:
    """Do it for the person of `visit` as they are now; raises SignedOut."""
    return do(visitor(visit), *args)


def gate(user: User) -> Frame:
    """What the gate says in the person's own workspace."""
    return gates([user.pk])[user.pk]


def gates(people: Collection[int]) -> dict[int, Frame]:
    """The same for many (by primary key), in one query; where there is no such workspace, nothing is owed."""
    address = reverse("privacy:choice")
    nothing = frames.gate_state(OPEN, None, address)
    owed = {one.user: frames.gate_state(one.answer, one.workspace, address) for one in owed_by_all(people)}
    return {user: owed.get(user, nothing) for user in people}


def begin(user: User, frame: Ask | Edit | Again) -> Frame:
    """Begin the turn that `frame` asks for; raises what `begin_turn` raises."""
    return frames.turn(_begun(user, frame), frame.request)


def _begun(user: User, frame: Ask | Edit | Again) -> Turn:
    match frame:
        case Ask():
            return acts.ask(
                user,
                workspace=frame.workspace,
                conversation=frame.conversation,
                parent=frame.parent,
                text=frame.text,
                request=frame.request,
                temporary=frame.temporary,
            )
        case Edit():
            return acts.edit(user, message=frame.message, text=frame.text, request=frame.request)
        case Again():
            return acts.TURNS[frame.act](user, message=frame.message, request=frame.request)


def stop(user: User, message: UUID) -> None:
    stop_answer(user, message=message)


def ended(user: User, message: UUID) -> Frame | None:
    """The terminal state of an answer, which the database alone has; None while it is open. Raises NotFound."""
    answer = access.message_for(user, message)
    if answer.role != Message.Role.ASSISTANT:
        raise NotFound
    return None if answer.is_open else frames.done(answer)


def all_ended(user: User, messages: Sequence[str]) -> list[Ended]:
    """Those of the followed answers that have ended, or that this person may no longer see."""
    seen = {
        str(row.public_id): row
        for row in Message.objects.filter(public_id__in=messages, conversation__in=access.conversations_of(user))
    }
    over: list[Ended] = [(answer, frames.done(row)) for answer, row in seen.items() if not row.is_open]
    if lost := [answer for answer in messages if answer not in seen]:
        homes = Message.objects.filter(public_id__in=lost).values_list("public_id", "conversation__public_id")
        gone = {str(answer): frames.gone(conversation) for answer, conversation in homes}
        over += [(answer, gone.get(answer)) for answer in lost]
    return over


def news(user: User, command: Command) -> list[Frame]:
    """What a command about this person means to their pages."""
    fields = command.fields
    try:
        match command.kind:
            case "gone":
                return [frames.gone(fields["conversation"])]
            case "rendered":
                return [frames.rendered(access.message_for(user, UUID(fields["answer"])))]
            case "changed":
                held = access.conversation_for(user, UUID(fields["conversation"]))
                return [frames.changed(held, fields["what"])]
    except NotFound:
        pass
    return []
