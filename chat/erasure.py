"""Taking a person out of the chat. Their personal conversations are the sweep's; here is what has no tag."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from accounts import clock
from chat.journal import control, keys
from chat.models import Conversation, Message, SpentTurn
from chat.models.message import State
from chat.turns import effects

if TYPE_CHECKING:
    from accounts.models import User

AT_ONCE = 1_000


def fence(user: "User") -> None:
    """Every answer that is being written for the person ends here, and its journal goes."""
    mine = Conversation.objects.filter(author=user).values("pk")
    # The conditions stand on the row itself, see chat/generation/lease.py.
    running = Message.objects.open().filter(conversation__in=mine)
    answers = list(running.values_list("public_id", flat=True))
    running.update(state=State.STOPPED, finished_at=clock.now(), lease_until=None, stop_requested_at=clock.now())
    for answer in answers:
        effects.after_commit(lambda answer=answer: control.publish("stop", answer=answer))  # type: ignore[misc]
    effects.after_commit(lambda: keys.forget(answers))


def erase(user: "User") -> Iterator[int]:
    """Questions in Work workspaces lose who asked them; what was counted for limits goes."""
    asked = Message.objects.filter(author=user)
    while some := list(asked.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        yield Message.objects.filter(pk__in=some).update(author=None, request=None)
    yield SpentTurn.objects.filter(user=user).delete()[0]
