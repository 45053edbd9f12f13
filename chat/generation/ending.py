"""Ending an answer: the one transaction that gives it its last word, and the conversation its activity and tag."""

from django.db import transaction

from accounts import clock
from chat.models import Conversation, Message
from chat.models.message import OPEN_STATES, State
from chat.turns import effects
from privacy import standings, tagging
from privacy.models import Standing


@transaction.atomic
def finish(pk: int, attempt: int, text: str, state: State, error: str = "") -> bool:
    """End an answer: its text, state and moment, and the conversation's activity and tag. False if it was lost.

    The standing is locked FOR SHARE until the commit, so that no tag is written under one just being withdrawn.
    """
    assert state not in OPEN_STATES
    before = Conversation.objects.select_related("workspace").filter(messages=pk).first()
    if before is None:  # purged meanwhile
        return False
    row = Standing.objects.for_turn(before.author_id) if before.author_id else None
    schedule = standings.schedule_for_turn(before.workspace, row)
    conversation = (
        Conversation.objects.select_for_update(of=("self",)).select_related("workspace", "author").get(messages=pk)
    )
    now = clock.now()
    mine = Message.objects.filter(pk=pk, attempt=attempt, state=State.STREAMING)
    if not mine.update(text=text, html="", state=state, error=error, finished_at=now, lease_until=None):
        return False
    conversation.last_activity_at = now
    facts = standings.as_facts(conversation.author, row)
    columns = tagging.tag(conversation, facts, schedule)
    conversation.save(update_fields=["last_activity_at", *columns])
    effects.answer_ended(Message.objects.get(pk=pk), conversation)
    return True
