"""What the exchanges of a conversation that were answered one by one mean for all of it, in words."""

from dataclasses import dataclass, replace

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chat.feedback.asking import why_not
from chat.models import Conversation, Feedback
from privacy.badge import Badge, kept_until
from privacy.policy import Standing


@dataclass(frozen=True)
class Answered:
    """How many exchanges of a conversation its author allowed, and to how many they said no."""

    allowed: int
    denied: int


def answered_of(held: Conversation) -> Answered:
    mine = Feedback.objects.filter(message__conversation=held, user=held.author)
    allowed, denied = Count("pk", filter=Q(may_train=True)), Count("pk", filter=Q(may_train=False))
    return Answered(**mine.aggregate(allowed=allowed, denied=denied))


def said(badge: Badge, held: Conversation, standing: Standing) -> Badge:
    """The badge of a conversation, true also of the exchanges that were answered by themselves."""
    answered = answered_of(held)
    if badge.trains and answered.denied:
        use = _("left out of training")
        more = _("You said no to an exchange in it, and training sets take chats as a whole: no new set has it.")
    elif not badge.trains and answered.allowed and not why_not(held, standing):
        use = ngettext(
            "not used for training, but for %(count)s exchange",
            "not used for training, but for %(count)s exchanges",
            answered.allowed,
        ) % {"count": answered.allowed}
        more = _("What you allowed with your feedback may train models by itself.")
    else:
        return badge
    return replace(badge, text=f"{kept_until(held.hidden_from)} · {use}", sentence=f"{badge.sentence} {more}")
