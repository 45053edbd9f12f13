"""May these members of a set train at this moment? Whole conversations by what stands in general, single exchanges by
the permission of their own; both are asked for again wherever anything is handed on (privacy/permission.py).

A conversation is used as a whole, so one "no" within it leaves out all of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chat.models import Conversation, Feedback
from privacy import permission
from privacy.permission import Refusal
from privacy.truth import OneOf


@dataclass(frozen=True)
class Member:
    """`message` None: the whole conversation. `conversation` None: it is purged."""

    pk: int
    conversation: int | None
    message: int | None
    key: UUID


def refused(members: Sequence[Member], at: datetime) -> dict[int, Refusal]:
    """Those that may not, by primary key, and why."""
    here = [member for member in members if member.conversation is not None]
    whole, exchanges = [one for one in here if one.message is None], [one for one in here if one.message is not None]
    gone = {member.pk: Refusal.GONE for member in members if member.conversation is None}
    return gone | _whole(whole, at) | _exchanges(exchanges, at)


def _whole(members: Sequence[Member], at: datetime) -> dict[int, Refusal]:
    asked = permission.ask(Conversation, _conversations(members), at)
    within = Feedback.objects.objecting().filter(OneOf("message__conversation", _listed(asked.allowed)))
    objected = within.order_by().values_list("message__conversation", flat=True)
    why = asked.refused | dict.fromkeys(objected, Refusal.OBJECTED)
    return {one.pk: why[one.conversation] for one in members if one.conversation in why}


def _exchanges(members: Sequence[Member], at: datetime) -> dict[int, Refusal]:
    asked = permission.ask_apart(Conversation, _conversations(members), at)
    permitted = Feedback.objects.allowing().filter(OneOf("message", _listed(one.message for one in members)))
    allowed = set(permitted.order_by().values_list("message", flat=True))
    withdrawn = {one.pk: Refusal.WITHDRAWN for one in members if one.message not in allowed}
    return withdrawn | {one.pk: asked.refused[one.conversation] for one in members if one.conversation in asked.refused}


def _conversations(members: Sequence[Member]) -> list[int]:
    return list(dict.fromkeys(one.conversation for one in members if one.conversation is not None))


def _listed(keys: Iterable[int | None]) -> str:
    return ",".join(map(str, keys))
