"""Beginning a turn: one short transaction in which access, gate and limits hold and the question is stored.

The standing row is locked FOR SHARE until the commit, and a choice takes it FOR UPDATE: no conversation begins under
a permission that is being withdrawn at that moment. The model is called only after the commit, by a worker.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts import clock
from accounts.errors import NotFound
from accounts.models import Membership, Workspace
from chat.errors import BadText, Busy, NoModel, TooLong
from chat.models import Conversation, Message
from chat.models.conversation import TITLE_LENGTH
from chat.models.message import Role, State
from chat.turns import allowance, effects
from privacy import gate, standings, tagging
from privacy.models import Standing

if TYPE_CHECKING:
    from accounts.models import User

MAX_TEXT = 100_000  # characters of one question


@dataclass(frozen=True)
class Turn:
    """One question and its answer. `question` is None where only a new answer was asked for."""

    conversation: Conversation
    answer: Message
    question: Message | None = None


@transaction.atomic
def begin_turn(
    *,
    user: "User",
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
    Raises ConsentRequired, LimitReached, Busy, BadText, TooLong.
    """
    if text is not None:
        text = checked(text)
    if not settings.MODEL["url"] and settings.MODEL["provider"] != "scripted":
        raise NoModel
    row = Standing.objects.for_turn(user.pk)
    gate.require_open(user, workspace)
    _lock_membership(user, workspace)
    if request and (again := _asked_before(user, request)):
        return again
    if reopen is None:
        allowance.spend(user, workspace)
    standing, schedule = standings.as_facts(user, row), standings.schedule_for(workspace, row)
    if conversation is None:
        conversation = Conversation(
            workspace=workspace, author=user, title=_first_words(text or ""), temporary=temporary
        )
        tagging.begin(conversation, standing)
        tagging.tag(conversation, standing, schedule)
        conversation.save()
    else:
        _lock(conversation)
        _refuse_while_busy(parent, reopen)
    question = None
    if text is not None:
        question = Message.objects.create(
            conversation=conversation, parent=parent, role=Role.USER, text=text, author=user, request=request
        )
    answer = _reopened(reopen) if reopen else _opened(conversation, question or parent)
    conversation.leaf, conversation.last_activity_at = answer, clock.now()
    columns = tagging.tag(conversation, standing, schedule)
    conversation.save(update_fields=["leaf", "last_activity_at", *columns])
    effects.answer_opened(answer, conversation)
    return Turn(conversation, answer, question)


def checked(text: str) -> str:
    """The text as it is stored; raises BadText or TooLong."""
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise BadText
    if "\x00" in text:
        raise BadText("Your text holds a character that cannot be stored (NUL). Remove it and send again.")
    if len(text) > MAX_TEXT:
        raise TooLong(len(text), MAX_TEXT)
    return text


def _lock_membership(user: "User", workspace: Workspace) -> None:
    """One turn at a time per person and workspace: allowance and repeated requests are judged without a race."""
    if not Membership.objects.select_for_update().filter(user=user, workspace=workspace).first():
        raise NotFound


def _asked_before(user: "User", request: UUID) -> Turn | None:
    """The turn that this very request began, if it did: a repeated send makes no second one."""
    question = Message.objects.select_related("conversation__workspace").filter(author=user, request=request).first()
    answer = question and question.children.filter(role=Role.ASSISTANT).order_by("pk").first()
    return Turn(question.conversation, answer, question) if question and answer else None


def _lock(conversation: Conversation) -> None:
    """Serialise the turns of one conversation; what changed meanwhile is read again."""
    fresh = Conversation.objects.select_for_update(of=("self",)).select_related("workspace").get(pk=conversation.pk)
    conversation.__dict__.update(fresh.__dict__)


def _refuse_while_busy(parent: Message | None, reopen: Message | None) -> None:
    if parent is not None:
        parent.refresh_from_db(fields=["state"])
        if parent.is_open:
            raise Busy
    if reopen is not None:
        reopen.refresh_from_db(fields=["state"])
        if reopen.is_open:
            raise Busy


def _opened(conversation: Conversation, question: Message | None) -> Message:
    assert question is not None and question.role == Role.USER
    return Message.objects.create(
        conversation=conversation,
        parent=question,
        role=Role.ASSISTANT,
        state=State.WAITING,
        model=settings.MODEL["label"],
        operator=settings.MODEL["operator"],
    )


def _reopened(answer: Message) -> Message:
    answer.state, answer.error, answer.html = State.WAITING, "", ""
    answer.lease_until = answer.finished_at = answer.stop_requested_at = None
    answer.save(update_fields=["state", "error", "html", "lease_until", "finished_at", "stop_requested_at"])
    return answer


def _first_words(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 60 else words[:60].rsplit(" ", 1)[0][: TITLE_LENGTH - 1] + "…"
