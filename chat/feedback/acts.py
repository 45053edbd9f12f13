"""Thumbs: given at once and without any permission; then a comment, and whether this one exchange may train models.

The answer about an exchange is a choice of its own: nothing preselects it, the general choice neither gives nor takes
it, and each change of it is in the ledger, which knows the feedback's key and no word of it. It is written under the
lock of the conversation's row, which a seal holds still (chat/training/sealing.py): it is wholly before a seal or
wholly after it. Locks come in the order of a turn: person, standing, conversation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from accounts import clock
from accounts.errors import NotFound
from chat import access
from chat.errors import NotPossible, TooLong
from chat.feedback import asking
from chat.models import Feedback, Message
from chat.models.feedback import COMMENT_LENGTH, Thumb
from chat.turns import effects, locks
from privacy import ledger, standings
from privacy.models import Standing
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from accounts.models import User


class Stale(NotPossible):
    code = "stale"
    message = "You have answered in another tab since this was shown. Nothing was recorded; this is what stands now."


class Unsupported(NotPossible):
    """Only an answer that came to its end has something to be said of."""

    message = "There is no complete answer here to say anything of."


@dataclass(frozen=True)
class Circumstances:
    """How an answer was given: evidence beside it. `context` is of evidence/context.py."""

    source: Source
    gpc: bool = False  # the browser asks sites not to share data
    context: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def rate(user: "User", *, message: UUID, thumb: Thumb) -> Feedback:
    """Store a thumb for a complete answer; the other one takes its place, and what was said beside it stays.

    Raises NotFound, Unsupported.
    """
    answer, _ = _held(user, message)
    given, made = Feedback.objects.get_or_create(message=answer, user=user, defaults={"thumb": thumb})
    if not made and given.thumb != thumb:
        given.thumb, given.given_at = thumb, clock.now()
        given.save(update_fields=["thumb", "given_at"])
    effects.conversation_changed(answer.conversation, "feedback")
    return given


@transaction.atomic
def say(
    user: "User", *, message: UUID, comment: str, may_train: bool | None, stands: str, given: Circumstances
) -> Feedback:
    """What somebody says beside their thumb. `may_train` None answers nothing: what stands goes on.

    `stands` is the answer that the form was shown beside. Raises NotFound, TooLong, NotPossible where the exchange
    cannot be allowed, Stale if it was answered otherwise, or the thumb taken back, since.
    """
    comment = comment.replace("\r\n", "\n").replace("\x00", "").strip()
    if len(comment) > COMMENT_LENGTH:
        raise TooLong(len(comment), COMMENT_LENGTH)
    answer, standing = _held(user, message)
    feedback = Feedback.objects.filter(message=answer, user=user).first()
    if feedback is None or (may_train not in (None, feedback.may_train) and feedback.stands != stands):
        raise Stale
    if may_train is not None:
        _decide(feedback, answer, standing, may_train, given)
    feedback.comment = comment
    feedback.save(update_fields=["comment", "may_train", "decided_at"])
    effects.conversation_changed(answer.conversation, "feedback")
    return feedback


@transaction.atomic
def withdraw(user: "User", *, message: UUID, given: Circumstances) -> Feedback:
    """Let the exchange train no more; the thumb stays. Twice is once. Raises NotFound."""
    answer, standing = _held(user, message)
    feedback = Feedback.objects.filter(message=answer, user=user).first()
    if feedback is None:
        raise NotFound
    if feedback.may_train:
        _decide(feedback, answer, standing, False, given)
        feedback.save(update_fields=["may_train", "decided_at"])
        effects.conversation_changed(answer.conversation, "feedback")
    return feedback


@transaction.atomic
def take_back(user: "User", *, message: UUID, given: Circumstances) -> Message:
    """Thumb, comment and answer go, as if nothing had been said. Twice is once. Raises NotFound."""
    answer, standing = _held(user, message)
    feedback = Feedback.objects.filter(message=answer, user=user).first()
    if feedback is not None:
        if feedback.may_train is not None:
            _record(Act.EXCHANGE_TAKEN_BACK, feedback, standing, given, was=feedback.may_train)
        feedback.delete()
        effects.conversation_changed(answer.conversation, "feedback")
    return answer


def _held(user: "User", public_id: UUID) -> tuple[Message, Standing | None]:
    """A complete answer that the person sees, with nothing about it decided elsewhere before the commit."""
    answer = access.message_for(user, public_id)
    if answer.role != Message.Role.ASSISTANT:
        raise NotFound
    locks.hold_person(user, answer.conversation.workspace)
    standing = Standing.objects.for_turn(user.pk)
    locks.hold_conversation(user, answer.conversation)
    if answer.state != Message.State.COMPLETE or not answer.text:
        raise Unsupported
    return answer, standing


def _decide(
    feedback: Feedback, answer: Message, standing: Standing | None, may_train: bool, given: Circumstances
) -> None:
    if feedback.may_train == may_train:
        return
    asked = asking.question(answer, standings.as_facts(feedback.user, standing))
    withdraws = feedback.may_train is True
    if asked.why_not and not withdraws:
        raise NotPossible(asked.why_not)
    act = Act.EXCHANGE_ALLOWED if may_train else Act.EXCHANGE_WITHDRAWN if withdraws else Act.EXCHANGE_DENIED
    feedback.may_train, feedback.decided_at = may_train, clock.now()
    _record(act, feedback, standing, given)


def _record(act: Act, feedback: Feedback, standing: Standing | None, given: Circumstances, **more: Any) -> None:
    detail = {"feedback": str(feedback.key), **({"gpc": True} if given.gpc else {}), **more}
    ledger.record(
        act,
        source=given.source,
        subject=feedback.user,
        actor=feedback.user,
        terms=standing.terms if standing else None,
        detail=detail,
        context=given.context,
    )
