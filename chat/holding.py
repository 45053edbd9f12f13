"""What the chat holds of people, as privacy's registry wants it."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import BigIntegerField, Func, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.plans import GRANTS
from chat import erasure, parts
from chat.journal import control, keys
from chat.models import Conversation, Message, SpentTurn
from chat.turns.stop import end_answers
from privacy import announce, holdings, outbox

JOURNALS = "journals"


def register() -> None:
    announce.when_terms_change(_terms_changed)
    holdings.register(
        holdings.Holding(
            name="conversations",
            models=(Conversation, Message, SpentTurn),
            parts=parts.PARTS,
            fence=erasure.fence,
            erase=erasure.erase,
            tagged=Conversation,
            describe=_describe,
            purge_children=_purge_messages,
            stores={JOURNALS: keys.forget},
            end=end_answers,
            expire=_expire_spent_turns,
            standing_changed=_standing_changed,
        )
    )


def _describe(conversation: Conversation) -> holdings.Described:
    title = conversation.title or _("New chat")
    return holdings.Described(title, reverse("chat:why", args=[conversation.public_id]))


def _terms_changed() -> None:
    control.publish("terms")


def _purge_messages(conversations: Sequence[int]) -> holdings.Purged:
    rows = Message.objects.filter(conversation__in=conversations)
    answers = list(rows.filter(role=Message.Role.ASSISTANT).values_list("public_id", flat=True))
    # As it is stored, compressed where it is: nothing long is read for the sake of a number.
    stored = Func("text", function="pg_column_size") + Func("html", function="pg_column_size")
    size = rows.aggregate(bytes=Sum(stored, output_field=BigIntegerField()))["bytes"]
    gone = rows._raw_delete(rows.db)
    outbox.write(JOURNALS, [str(answer) for answer in answers])
    return holdings.Purged(rows=gone, bytes=size or 0)


def _expire_spent_turns(now: datetime) -> None:
    """Past the longest window a spent turn limits nothing, and says when somebody wrote."""
    longest = max(grant.window for grant in GRANTS.values())
    SpentTurn.objects.filter(at__lt=now - longest).delete()


def _standing_changed(user: int) -> None:
    control.publish("standing", user=user)
