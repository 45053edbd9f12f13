"""Every frame of the socket: what a client may send, checked, and what the server sends (docs/protocol.md)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from chat.errors import BadFrame, Refused
from chat.journal.keys import Step, as_id, parse_step
from chat.journal.reader import Piece
from chat.models import Conversation, Message
from chat.turns.begin import Turn
from privacy.errors import ConsentRequired
from privacy.gate import Answer
from privacy.middleware import consent_error

MAX_BYTES = 512 * 1024
Frame = dict[str, Any]


# --- From the client ---------------------------------------------------------


@dataclass(frozen=True)
class Ask:
    workspace: UUID
    conversation: UUID | None
    parent: UUID | None
    text: str
    request: UUID | None
    temporary: bool


@dataclass(frozen=True)
class Edit:
    message: UUID
    text: str
    request: UUID | None


@dataclass(frozen=True)
class Again:
    """`act` is regenerate, retry or continue."""

    act: str
    message: UUID
    request: UUID | None


@dataclass(frozen=True)
class Stop:
    message: UUID


@dataclass(frozen=True)
class Follow:
    message: UUID
    after: Step | None


@dataclass(frozen=True)
class Unfollow:
    message: UUID


Incoming = Ask | Edit | Again | Stop | Follow | Unfollow


def parse(data: str | bytes | None) -> Incoming:
    """The frame that a client sent; raises BadFrame for anything else."""
    if data is None or len(data) > MAX_BYTES:
        raise BadFrame
    try:
        frame = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadFrame from error
    if not isinstance(frame, dict):
        raise BadFrame
    build = _INCOMING.get(frame.get("type", "")) if isinstance(frame.get("type"), str) else None
    if build is None:
        raise BadFrame
    return build(frame)


def request_of(data: str | bytes | None) -> str | None:
    """The client's number of a request, if it can be read, to tell which one was refused."""
    try:
        request = orjson.loads(data or b"").get("request")
    except (orjson.JSONDecodeError, AttributeError):
        return None
    return request if isinstance(request, str) and len(request) <= 36 else None


def _uuid(frame: Mapping[str, Any], name: str) -> UUID:
    value = frame.get(name)
    if not isinstance(value, str):
        raise BadFrame
    try:
        return UUID(value)
    except ValueError as error:
        raise BadFrame from error


def _uuid_or_none(frame: Mapping[str, Any], name: str) -> UUID | None:
    return None if frame.get(name) is None else _uuid(frame, name)


def _text(frame: Mapping[str, Any]) -> str:
    text = frame.get("text")
    if not isinstance(text, str):
        raise BadFrame
    return text


def _whether(frame: Mapping[str, Any], name: str) -> bool:
    """Nothing is a no; anything that is neither yes nor no is not understood."""
    value = frame.get(name, False)
    if not isinstance(value, bool):
        raise BadFrame
    return value


def _step(frame: Mapping[str, Any]) -> Step | None:
    after = frame.get("after")
    if after is None:
        return None
    step = parse_step(after) if isinstance(after, str) else None
    if step is None:
        raise BadFrame
    return step


def _again(frame: Mapping[str, Any]) -> Again:
    return Again(frame["type"], _uuid(frame, "message"), _uuid_or_none(frame, "request"))


_INCOMING: dict[str, Callable[[Mapping[str, Any]], Incoming]] = {
    "ask": lambda f: Ask(
        _uuid(f, "workspace"),
        _uuid_or_none(f, "conversation"),
        _uuid_or_none(f, "parent"),
        _text(f),
        _uuid_or_none(f, "request"),
        _whether(f, "temporary"),
    ),
    "edit": lambda f: Edit(_uuid(f, "message"), _text(f), _uuid_or_none(f, "request")),
    "regenerate": _again,
    "retry": _again,
    "continue": _again,
    "stop": lambda f: Stop(_uuid(f, "message")),
    "follow": lambda f: Follow(_uuid(f, "message"), _step(f)),
    "unfollow": lambda f: Unfollow(_uuid(f, "message")),
}


# --- From the server ---------------------------------------------------------


def hello(gate: Frame) -> Frame:
    return {"type": "hello", "gate": gate}


def gate_frame(gate: Frame) -> Frame:
    return {"type": "gate", "gate": gate}


def gate_state(answer: Answer, workspace: UUID | None, choice_url: str) -> Frame:
    """`workspace` is the one that the gate is asked about; turns in others are none of its business."""
    return {
        "state": answer.gate.value,
        "workspace": str(workspace) if workspace else None,
        "terms": answer.terms or None,
        "deadline": answer.deadline.isoformat() if answer.deadline else None,
        "choice_url": choice_url,
    }


def turn(begun: Turn, request: UUID | None) -> Frame:
    conversation, question, answer = begun.conversation, begun.question, begun.answer
    parent = question or answer.parent
    return {
        "type": "turn",
        "request": str(request) if request else None,
        "conversation": {
            "id": str(conversation.public_id),
            "url": conversation.get_absolute_url(),
            "title": conversation.title,
        },
        "question": question
        and {
            "id": str(question.public_id),
            "parent": str(question.parent.public_id) if question.parent else None,
            "text": question.text,
        },
        "answer": {
            "id": str(answer.public_id),
            "parent": str(parent.public_id) if parent else None,
            "state": answer.state,
            "model": answer.model,
            "operator": answer.operator,
        },
    }


def piece(entry: Piece) -> Frame:
    return {
        "type": "piece",
        "message": entry.answer,
        "step": as_id(entry.step),
        "text": entry.text,
        "whole": entry.whole,
    }


def done(answer: Message) -> Frame:
    return {
        "type": "done",
        "message": str(answer.public_id),
        "state": answer.state,
        "text": answer.text,
        "html": answer.html,
        "error": answer.error,
        "error_sentence": answer.error_sentence,
        "can_retry": answer.can_retry,
        "can_continue": answer.can_continue,
    }


def rendered(answer: Message) -> Frame:
    return {"type": "rendered", "message": str(answer.public_id), "html": answer.html}


def changed(conversation: Conversation, what: str) -> Frame:
    """`what` is turn, title or branch."""
    return {
        "type": "changed",
        "conversation": str(conversation.public_id),
        "title": conversation.title,
        "what": what,
    }


def gone(conversation: UUID | str) -> Frame:
    return {"type": "gone", "conversation": str(conversation)}


def error(refused: Refused | ConsentRequired, request: str | None) -> Frame:
    """A refusal; one for want of a choice says where to choose, as over HTTP."""
    frame: Frame = {"type": "error", "request": request, "code": refused.code, "message": refused.message}
    return frame | consent_error(refused) if isinstance(refused, ConsentRequired) else frame
