"""The question about one exchange: whether it is asked, and what either answer would mean here.

It is asked where the general answer alone decides. Where something overrides that (a Work agreement, a temporary chat,
a review, somebody's age), nothing is asked, and the reason is said instead.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts import clock
from chat.models import Conversation, Message
from privacy import explaining, policy
from privacy.badge import day
from privacy.policy import Schedule, Standing


@dataclass(frozen=True)
class Question:
    """`why_not` is empty where it is asked; the sentences say what would follow."""

    why_not: str
    yes: str = ""
    no: str = ""


def question(answer: Message, standing: Standing) -> Question:
    """What is asked about `answer` and its question, under the standing of the conversation's author."""
    held = answer.conversation
    if why := why_not(held, standing) or _not_theirs(answer):
        return Question(why)
    until = day(held.hidden_from) if held.hidden_from else _("you delete the chat")
    longer = _("It is kept no longer for that: until %(until)s, as before.") % {"until": until}
    as_before = _("It is kept as before, until %(until)s.") % {"until": until}
    return Question("", yes=f"{_yes(held, standing)} {longer}", no=f"{_no(held, standing)} {as_before}")


def why_not(held: Conversation, standing: Standing) -> str:
    """Why nothing is asked about the exchanges of a conversation; empty where it is."""
    flags = held.facts(standing).flags
    if not flags.personal:
        return _(
            "This chat belongs to a Work workspace. Its agreement alone says whether anything in it trains models."
        )
    if not policy.apart(policy.rule(flags, standing, Schedule())):
        return explaining.why_trains(flags, standing, held.agreement)
    if policy.suspended(standing, clock.now()):
        return _("Newer terms wait for your answer. Until then nothing of yours trains models, and nothing is asked.")
    return ""


def _not_theirs(answer: Message) -> str:
    asked = answer.parent
    theirs = asked is not None and asked.author_id == answer.conversation.author_id
    return "" if theirs else _("Somebody else asked this, so it is not yours to allow.")


def _yes(held: Conversation, standing: Standing) -> str:
    if _trains(held, standing):
        return _(
            "This chat may train models already, by your general choice, which stays as it is. If you take that back,"
            " your question and this answer still may, until you take this back, too."
        )
    return _(
        "Training sets may have your question and this answer, and nothing else of this chat, until you take it back or"
        " the chat ends; your general choice stays as it is."
    )


def _no(held: Conversation, standing: Standing) -> str:
    if _trains(held, standing):
        return _(
            "No new training set has this chat: sets take chats as a whole. Your general choice stays as it is for the"
            " others."
        )
    return _("No training set has this exchange, whatever your general choice becomes; that stays as it is.")


def _trains(held: Conversation, standing: Standing) -> bool:
    flags = held.facts(standing).flags
    return policy.trains(flags, held.tag, held.tag_epoch, standing, held.agreement, clock.now())
