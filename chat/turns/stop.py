"""Stop is a command on the answer, from any tab or door; a closed tab is not a stop. What was written stays."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from accounts import clock
from chat.access import message_for
from chat.journal import control, keys
from chat.models import Conversation, Message
from chat.models.message import Role, State
from chat.turns import effects

if TYPE_CHECKING:
    from django.db.models import QuerySet

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


def end_answers(conversations: "QuerySet[Conversation]") -> None:
    """Every answer that is being written in these ends here; their journals go, also those of answers just ended."""
    here, now = conversations.order_by().values("pk"), clock.now()
    journaled = now - timedelta(seconds=keys.SECONDS_KEPT)
    recent = Message.objects.filter(conversation__in=here, role=Role.ASSISTANT, finished_at__gt=journaled)
    gone = list(recent.values_list("public_id", flat=True))
    # The conditions stand on the row itself, see chat/generation/lease.py.
    running = Message.objects.open().filter(conversation__in=here)
    answers = list(running.values_list("public_id", flat=True))
    running.update(state=State.STOPPED, finished_at=now, lease_until=None, stop_requested_at=now)
    for answer in answers:
        effects.after_commit(lambda answer=answer: control.publish("stop", answer=answer))  # type: ignore[misc]
    effects.after_commit(lambda: keys.forget([*answers, *gone]))
