"""Thumbs in tests: given through the product's own acts."""

from typing import Any

from accounts.models import User
from chat.feedback import acts
from chat.models import Conversation, Feedback, Message
from chat.models.feedback import Thumb
from privacy.vocabulary import Source

GIVEN = acts.Circumstances(Source.CHAT)


def answer_of(held: Conversation) -> Message:
    return held.messages.filter(role="assistant").earliest("pk")


def rated(person: User, held: Conversation, may_train: bool | None = None, comment: str = "", **more: Any) -> Feedback:
    """A thumb for the first answer, or for `message`, and what was said beside it."""
    message = more.get("message") or answer_of(held)
    given = acts.rate(person, message=message.public_id, thumb=more.get("thumb", Thumb.UP))
    if may_train is None and not comment:
        return given
    return acts.say(
        person, message=message.public_id, comment=comment, may_train=may_train, stands=given.stands, given=GIVEN
    )


def withdrawn(given: Feedback) -> Feedback:
    return acts.withdraw(given.user, message=given.message.public_id, given=GIVEN)


def taken_back(given: Feedback) -> None:
    acts.take_back(given.user, message=given.message.public_id, given=GIVEN)
