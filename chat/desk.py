"""What sockets ask for: short synchronous calls, one per step, that answer in frames.

All sockets of a process share one thread for these, so each is a query or two and never waits.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.urls import reverse

from accounts.errors import NotFound
from accounts.models import Workspace
from chat import access, frames
from chat.frames import Again, Ask, Edit, Frame
from chat.journal.control import Command
from chat.models import Message
from chat.turns import acts
from chat.turns.stop import stop as stop_answer
from privacy.gate import OPEN, gate_for

if TYPE_CHECKING:
    from accounts.models import User


def gate(user: "User") -> Frame:
    """The gate's state in the person's own workspace; where there is none, nothing is owed."""
    personal = Workspace.objects.filter(personal_to=user).first()
    return frames.gate_state(gate_for(user, personal) if personal else OPEN, reverse("privacy:choice"))


def begin(user: "User", frame: Ask | Edit | Again) -> Frame:
    """Begin the turn that `frame` asks for; raises what `begin_turn` raises."""
    match frame:
        case Ask():
            turn = acts.ask(
                user,
                workspace=frame.workspace,
                conversation=frame.conversation,
                parent=frame.parent,
                text=frame.text,
                request=frame.request,
            )
        case Edit():
            turn = acts.edit(user, message=frame.message, text=frame.text, request=frame.request)
        case Again():
            turn = acts.TURNS[frame.act](user, message=frame.message)
    return frames.turn(turn, frame.request)


def stop(user: "User", message: UUID) -> None:
    stop_answer(user, message=message)


def ended(user: "User", message: UUID) -> Frame | None:
    """The terminal state of an answer, which the database alone has; None while it is open. Raises NotFound."""
    answer = access.message_for(user, message)
    if answer.role != Message.Role.ASSISTANT:
        raise NotFound
    return None if answer.is_open else frames.done(answer)


def all_ended(user: "User", messages: Sequence[str]) -> list[Frame]:
    """Those of the followed answers that have ended, or are gone."""
    rows = {
        str(row.public_id): row
        for row in Message.objects.filter(public_id__in=messages, conversation__in=access.conversations_of(user))
    }
    return [frames.done(row) for row in rows.values() if not row.is_open]


def news(user: "User", command: Command) -> list[Frame]:
    """What a command about this person means to their pages."""
    fields = command.fields
    try:
        match command.kind:
            case "standing":
                return [frames.gate_frame(gate(user))]
            case "gone":
                return [{"type": "gone", "conversation": fields["conversation"]}]
            case "rendered":
                answer = access.message_for(user, UUID(fields["answer"]))
                return [{"type": "rendered", "message": fields["answer"], "html": answer.html}]
            case "changed":
                held = access.conversation_for(user, UUID(fields["conversation"]))
                return [
                    {
                        "type": "changed",
                        "conversation": fields["conversation"],
                        "title": held.title,
                        "what": fields["what"],
                    }
                ]
    except NotFound:
        pass
    return []
