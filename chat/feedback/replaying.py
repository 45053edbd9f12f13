"""After a backup is restored: a "no" that it does not know holds again, and what was taken back goes again.

Nothing here ever allows anything. A "yes" that was given after the backup is not known either; its person may give it
once more.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import clock
from chat.models import Conversation, Feedback, Message
from privacy import ledger
from privacy.models import Standing
from privacy.vocabulary import Act, Source


@transaction.atomic
def replay(said: dict[str, Any], at: datetime) -> bool:
    """Carry out one entry of the log (chat/migrations/0010_feedback.py); False where its answer is not here."""
    answer = Message.objects.select_related("conversation__author").filter(public_id=said["message"]).first()
    person = answer.conversation.author if answer else None
    if answer is None or person is None or str(person.public_id) != said["person"]:
        return False
    Standing.objects.for_change(person)
    list(Conversation.objects.select_for_update(of=("self",)).filter(pk=answer.conversation_id))
    mine = Feedback.objects.filter(message=answer, user=person)
    if said["gone"]:
        return bool(mine.delete()[0])
    if mine.filter(may_train=True).exists():
        detail = {"feedback": said["feedback"], "restored": True}
        ledger.record(Act.EXCHANGE_WITHDRAWN, source=Source.OPERATOR, subject=person, detail=detail)
    no = {"may_train": False, "decided_at": clock.now()}
    mine.update_or_create(
        message=answer,
        user=person,
        defaults=no,
        create_defaults={**no, "key": said["feedback"], "thumb": said["thumb"]},
    )
    return True
