"""Stop is a command on the answer, from any tab or door; a closed tab is not a stop. What was written stays."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from accounts import clock
from chat.access import message_for
from chat.journal import control
from chat.models import Message
from chat.models.message import State
from chat.turns import effects

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def stop(user: "User", *, message: UUID) -> None:
    """Ask whoever writes this answer to stop; one that nobody writes yet ends here. Harmless on a finished one."""
    answer = message_for(user, message)
    now = clock.now()
    waiting = Message.objects.filter(pk=answer.pk, state=State.WAITING, lease_until__isnull=True)
    if waiting.update(state=State.STOPPED, finished_at=now):
        effects.answer_ended(answer, answer.conversation)
    Message.objects.filter(pk=answer.pk, stop_requested_at__isnull=True).open().update(stop_requested_at=now)
    effects.after_commit(lambda: control.publish("stop", answer=answer.public_id))
