"""Reading the conversations of a set: asked for again as they are read, the shown branch, complete messages only.

A whole conversation is the branch that is shown: the path to the leaf, as its author sees it. It ends before the first
answer that is not complete, and before a question that has none: what follows would answer words that are not there. A
single exchange is the question and the answer that its person allowed, and nothing of what stands around them. Titles,
custom instructions, comments and attachments are in other columns and tables, which nothing here reads.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection

from accounts import clock
from accounts.models import Workspace
from chat.models import Conversation, Feedback, TrainingSet
from chat.models.message import Role, State
from chat.training import asking, filtering
from chat.training.asking import Member
from chat.training.outcomes import Left
from chat.training.shards import Row
from privacy import truth
from privacy.permission import Refusal

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
class Source:
    """What a row of a set says besides its messages; `name` is its author's, which is filtered out of those."""

    leaf: int | None
    permission: str
    terms: str
    chosen_on: date | None
    name: str


def read(training_set: TrainingSet, members: Sequence[Member]) -> Iterator[tuple[Member, Row | str]]:
    """Each member with its row, or why it is left out. Permission is asked for all of them, and text read in parts."""
    refused = asking.refused(members, clock.now())
    sources = _sources([member for member in members if member.pk not in refused])
    secret = bytes(training_set.secret)
    for start in range(0, len(members), AT_ONCE):
        some = members[start : start + AT_ONCE]
        found = _messages(secret, [one.conversation for one in some if one.pk in sources])
        for member in some:
            if source := sources.get(member.pk):
                yield member, _row(training_set, member, source, found.get(member.conversation, []))
            else:
                yield member, refused.get(member.pk, Refusal.GONE)


def _row(training_set: TrainingSet, member: Member, source: Source, messages: list[Any]) -> Row | str:
    branch = shown(messages, source.leaf) if member.message is None else exchange(messages, member.message)
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
        if not _is_whole(question, answer):
            break
        whole += [question, answer]
    return whole


def exchange(messages: Sequence[Any], answer: int) -> list[Any]:
    """An answer and its question alone, if that is complete; of messages as `shown` takes them."""
    by_key = {message[0]: message for message in messages}
    said = by_key.get(answer)
    asked = by_key.get(said[1]) if said else None
    return [asked, said] if said and asked and _is_whole(asked, said) else []


def _is_whole(question: Any, answer: Any) -> bool:
    complete = question[3] == Role.USER and answer[3] == Role.ASSISTANT and answer[4] == State.COMPLETE
    return bool(complete and answer[5].strip())


def _sources(members: Sequence[Member]) -> dict[int, Source]:
    """Where each comes from, by the member's primary key; not of what is gone or withdrawn since it was asked for."""
    exchanges = [one.message for one in members if one.message is not None]
    given = Feedback.objects.allowing().filter(message__in=exchanges)
    allowed = given.values_list("message", "decided_at", "user__display_name")
    single = {message: Source(message, "feedback", "", _day(at), name or "") for message, at, name in allowed}
    whole = _lineages([one.conversation for one in members if one.message is None])
    sources = {
        one.pk: whole.get(one.conversation) if one.message is None else single.get(one.message) for one in members
    }
    return {pk: source for pk, source in sources.items() if source}


def _lineages(conversations: Sequence[int | None]) -> dict[int | None, Source]:
    rows = truth.of(Conversation, [pk for pk in conversations if pk]).values_list("pk", "leaf_id", *LINEAGE)
    found: dict[int | None, Source] = {}
    for pk, leaf, kind, terms, chosen, signed, name in rows:
        if kind == Workspace.Kind.PERSONAL:
            found[pk] = Source(leaf, "terms", terms or "", _day(chosen), name or "")
        else:
            found[pk] = Source(leaf, "agreement", "", _day(signed), name or "")
    return found


def _day(moment: Any) -> date | None:
    """The day alone: the moment itself would tie together all that one person wrote."""
    return moment.astimezone(UTC).date() if moment else None


def _messages(secret: bytes, conversations: list[int | None]) -> dict[int | None, list[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(MESSAGES, [secret, conversations])
        return {key: [row[1:] for row in rows] for key, rows in groupby(cursor.fetchall(), itemgetter(0))}
