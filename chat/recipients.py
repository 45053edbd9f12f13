"""Who received the words of a conversation: which models, and whose."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Max, Min
from django.utils.translation import gettext as _

from chat.models import Conversation, Message
from privacy.badge import day

HERE = "this machine"  # a place; every other operator is somebody's name


@dataclass(frozen=True)
class Recipient:
    """One model of one operator, from its first question in this conversation to its last."""

    model: str
    operator: str
    first: datetime
    last: datetime

    @property
    def name(self) -> str:
        return named(self.model, self.operator)

    @property
    def period(self) -> str:
        first, last = day(self.first), day(self.last)
        if first == last:
            return _("On %(day)s") % {"day": first}
        return _("From %(first)s to %(last)s") % {"first": first, "last": last}

    @property
    def keeps(self) -> str:
        """What becomes of the words there, as far as is known here."""
        if self.operator == HERE:
            return _("Your words did not leave this machine for an answer.")
        theirs = _("With them your words stay according to their own terms; no purge of Parley's reaches them there.")
        stated = settings.MODEL["operator_retention"] if self.operator == settings.MODEL["operator"] else ""
        return f"{theirs} {_('What is stated of that: %(stated)s') % {'stated': stated}}" if stated else theirs


def named(model: str, operator: str) -> str:
    """A model as people read of it: which one, and who runs it."""
    return f"{model}, on {operator}" if operator == HERE else f"{model}, operated by {operator}"


def recipients(conversation: Conversation) -> list[Recipient]:
    """Those to whom its words were sent, the first first; who was only asked and not reached yet is not among them."""
    sent = conversation.messages.filter(role=Message.Role.ASSISTANT).exclude(state=Message.State.WAITING)
    found = sent.order_by().values("model", "operator").annotate(first=Min("created_at"), last=Max("created_at"))
    return [Recipient(**one) for one in found.order_by("first")]
