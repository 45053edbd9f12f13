"""Taking a person out of the chat. Their personal conversations are the sweep's; here is what has no tag."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chat.models import Conversation, Feedback, Message, SpentTurn
from chat.turns.stop import end_answers

if TYPE_CHECKING:
    from accounts.models import User

AT_ONCE = 1_000


def fence(user: "User") -> None:
    """Every answer that is being written for the person ends here, and its journal goes."""
    end_answers(Conversation.objects.filter(author=user))


def erase(user: "User") -> Iterator[int]:
    """Questions in Work workspaces lose who asked them; what was said of answers goes, and what was counted for limits.

    What stands with a conversation that has to stay for a while goes with that.
    """
    asked = Message.objects.filter(author=user)
    while some := list(asked.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        yield Message.objects.filter(pk__in=some).update(author=None, request=None)
    yield Feedback.objects.filter(user=user).exclude(message__conversation__author=user).delete()[0]
    yield SpentTurn.objects.filter(user=user).delete()[0]
