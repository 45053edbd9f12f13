"""Beginning a turn: one short transaction in which access, gate and limits hold and the question is stored.

The standing row is locked FOR SHARE until the commit, and a choice takes it FOR UPDATE: no conversation begins under
a permission that is being withdrawn at that moment. The model is called only after the commit, by a worker.
"""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import clock
from accounts.models import User, Workspace
from chat.errors import Busy, LimitReached, NoModel
from chat.models import Conversation, Message
from chat.models.message import Role, State
from chat.rendering.plain import title_of
from chat.turns import allowance, effects, locks
from chat.turns.texts import checked
from privacy import gate, policy, standings, tagging
from privacy.errors import ConsentRequired
from privacy.models import Standing


@dataclass(frozen=True)
class Turn:
    """One question and its answer. `question` is None where only a new answer was asked for."""

    conversation: Conversation
    answer: Message
    question: Message | None = None


def begin_turn(
    *,
    user: User,
    workspace: Workspace,
    conversation: Conversation | None = None,
    parent: Message | None = None,
    text: str | None = None,
    reopen: Message | None = None,
    request: UUID | None = None,
    temporary: bool = False,
) -> Turn:
    """Store what is asked and open its answer; the only way a turn begins, whatever the door.

    With `text`, a new question below `parent` (None: at the root). Without, a new answer to the question `parent`,
    or, with `reopen`, that answer once more. Callers have obtained all objects through `chat.access`.
    A `request` that has begun a turn already begins no second one: that turn is returned.
    Raises ConsentRequired, LimitReached, Busy, BadText, TooLong, NotFound.
    """
    if text is not None:
        text = checked(text)
    if not settings.MODEL["url"] and settings.MODEL["provider"] != "scripted":
        raise NoModel
    try:
        with transaction.atomic():
            locks.hold_person(user, workspace)
            row = Standing.objects.for_turn(user.pk)
            standing, schedule = standings.as_facts(user, row), standings.schedule_for_turn(workspace, row)
            gate.require_open(user, workspace, row, standing)
            if conversation is not None:
                locks.hold_conversation(user, conversation)
            locks.refuse_while_busy(user, parent, reopen, asks=text is not None)
            if reopen is None or reopen.was_an_answer:  # who goes on after a failure has had none yet
                allowance.spend(user, workspace)
            if conversation is None:
                title = "" if temporary else title_of(text or "")
                conversation = Conversation(workspace=workspace, author=user, title=title, temporary=temporary)
                tagging.begin(conversation, standing, schedule.agreement)
            turn = _reopened(conversation, reopen) if reopen else _opened(conversation, parent, text, user, request)
            _moved_on(turn, standing, schedule)
            return turn
    except (IntegrityError, Busy, LimitReached, ConsentRequired):
        if request and (stored := locks.asked_before(user, workspace, request)):
            return _turn_of(stored)
        raise


def _turn_of(stored: Message) -> Turn:
    """The turn that began with this question, or with this answer alone."""
    if stored.role == Role.ASSISTANT:
        return Turn(stored.conversation, stored)
    return Turn(stored.conversation, stored.children.order_by("pk")[0], stored)


def _opened(
    conversation: Conversation, parent: Message | None, text: str | None, user: User, request: UUID | None
) -> Turn:
    """A new answer, below a new question if there is `text`. Not stored yet: see `_moved_on`."""
    question = None
    if text is not None:
        question = Message(
            conversation=conversation, parent=parent, role=Role.USER, text=text, author=user, request=request
        )
        parent, request = question, None
    assert parent is not None and parent.role == Role.USER
    answer = Message(
        conversation=conversation,
        parent=parent,
        author=user if request else None,
        request=request,
        role=Role.ASSISTANT,
        state=State.WAITING,
        queued_at=clock.now(),
        model=settings.MODEL["label"],
        operator=settings.MODEL["operator"],
    )
    return Turn(conversation, answer, question)


def _moved_on(turn: Turn, standing: policy.Standing, schedule: policy.Schedule) -> None:
    """Store the turn, and its conversation with the answer as the end of the branch that is shown.

    The rows point at each other; the database judges that at the commit.
    """
    rows = [turn.question, turn.answer] if turn.question else [turn.answer]
    fresh = [message for message in rows if message.pk is None]
    Message.objects.number(fresh)
    conversation = turn.conversation
    conversation.leaf, conversation.last_activity_at = turn.answer, clock.now()
    columns = tagging.tag(conversation, standing, schedule)
    if conversation.pk is None:
        conversation.save(force_insert=True)
    else:
        conversation.save(update_fields=["leaf", "last_activity_at", *columns])
    Message.objects.bulk_create(fresh)
    effects.answer_opened(turn.answer, conversation)


def _reopened(conversation: Conversation, answer: Message) -> Turn:
    answer.state, answer.error, answer.html = State.WAITING, "", ""
    answer.lease_until = answer.finished_at = answer.stop_requested_at = None
    answer.queued_at = clock.now()
    answer.save(
        update_fields=["state", "error", "html", "lease_until", "finished_at", "stop_requested_at", "queued_at"]
    )
    return Turn(conversation, answer)
