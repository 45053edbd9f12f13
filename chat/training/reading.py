"""Reading the conversations of a set: asked for again as they are read, the shown branch, complete messages only.

The branch is the path to the leaf that is shown, as its author sees it. It ends before the first answer that is not
complete, and before a question that has none: what follows would answer words that are not there. Titles, custom
instructions and attachments are in other columns and tables, which nothing here reads.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection

from accounts import clock
from accounts.models import Workspace
from chat.models import Conversation, TrainingSet
from chat.models.message import Role, State
from chat.training import filtering
from chat.training.outcomes import Left
from chat.training.shards import Row
from privacy import permission, truth

AT_ONCE = 250  # conversations whose text is in memory
# A message's key within one set: nobody without the set's secret can tell which message it is.
MESSAGES = """
SELECT conversation_id, id, parent_id, left(encode(sha256(%s::bytea || uuid_send(public_id)), 'hex'), 32),
    role, state, text
FROM chat_message WHERE conversation_id = ANY(%s) ORDER BY conversation_id, id
"""
LINEAGE = (
    "workspace__kind",
    "author__standing__terms__slug",
    "author__standing__since",
    "workspace__agreed__agreement__signed_at",
    "author__display_name",
)


@dataclass(frozen=True)
class Member:
    pk: int
    conversation: int | None
    key: UUID


@dataclass(frozen=True)
class Source:
    """What a row of a set says besides its messages; `name` is its author's, which is filtered out of those."""

    leaf: int | None
    permission: str
    terms: str
    chosen_on: date | None
    name: str


def read(training_set: TrainingSet, members: Sequence[Member]) -> Iterator[tuple[Member, Row | str]]:
    """Each member with its row, or why it is left out. Permission is asked for all of them, and text read in parts."""
    keys = [member.conversation for member in members if member.conversation is not None]
    asked = permission.ask(Conversation, keys, clock.now())
    sources, secret = _sources(asked.allowed), bytes(training_set.secret)
    for start in range(0, len(members), AT_ONCE):
        some = members[start : start + AT_ONCE]
        found = _messages(secret, [one.conversation for one in some if one.conversation in sources])
        for member in some:
            key = member.conversation
            if key is not None and (source := sources.get(key)):
                yield member, _row(training_set, member, source, found.pop(key, []))
            else:
                yield member, asked.refused.get(key or 0, permission.Refusal.GONE)


def _row(training_set: TrainingSet, member: Member, source: Source, messages: list[Any]) -> Row | str:
    branch = shown(messages, source.leaf)
    if not branch:
        return Left.EMPTY
    texts = [message[5] for message in branch]
    if training_set.filter:
        try:
            texts = filtering.clean(texts, name=source.name)
        except filtering.Unsure:
            return Left.UNSURE
        except filtering.Unreadable:
            return Left.UNREADABLE
    return Row(
        conversation=str(member.key),
        roles=[message[3] for message in branch],
        contents=texts,
        message_keys=[message[2] for message in branch],
        permission=source.permission,
        terms=source.terms,
        chosen_on=source.chosen_on,
        filter=training_set.filter,
    )


def shown(messages: Sequence[Any], leaf: int | None) -> list[Any]:
    """The path to `leaf`, the root first, as far as every question has its complete answer.

    Messages are (id, parent, key in the set, role, state, text), of one conversation.
    """
    by_key = {message[0]: message for message in messages}
    path = []
    while leaf in by_key:
        path.append(by_key[leaf])
        leaf = by_key[leaf][1]
    path.reverse()
    whole: list[Any] = []
    for question, answer in zip(path[::2], path[1::2], strict=False):
        complete = question[3] == Role.USER and answer[3] == Role.ASSISTANT and answer[4] == State.COMPLETE
        if not complete or not answer[5].strip():
            break
        whole += [question, answer]
    return whole


def _sources(allowed: frozenset[int]) -> dict[int, Source]:
    rows = truth.of(Conversation, allowed).values_list("pk", "leaf_id", *LINEAGE)
    found = {}
    for pk, leaf, kind, terms, chosen, signed, name in rows:
        if kind == Workspace.Kind.PERSONAL:
            found[pk] = Source(leaf, "terms", terms or "", _day(chosen), name or "")
        else:
            found[pk] = Source(leaf, "agreement", "", _day(signed), name or "")
    return found


def _day(moment: Any) -> date | None:
    """The day alone: the moment itself would tie together all that one person wrote."""
    return moment.astimezone(UTC).date() if moment else None


def _messages(secret: bytes, conversations: list[int | None]) -> dict[int, list[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(MESSAGES, [secret, conversations])
        return {key: [row[1:] for row in rows] for key, rows in groupby(cursor.fetchall(), itemgetter(0))}
