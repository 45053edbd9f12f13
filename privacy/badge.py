"""What a tag says, in words: the badge on a conversation."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from accounts import clock
from privacy import explaining, policy
from privacy.models import Tagged
from privacy.policy import Standing


@dataclass(frozen=True)
class Badge:
    """`text` for the head of a conversation, `short` for lists, `sentence` with the reason."""

    text: str
    short: str
    sentence: str
    trains: bool


def badge(row: Tagged, standing: Standing) -> Badge:
    """The badge of a conversation under its author's standing, with its reason in words."""
    trains = policy.trains(row.facts(standing).flags, row.tag, row.tag_epoch, standing, row.agreement, clock.now())
    use = "may train models" if trains else "not used for training"
    until = f"Until {date_format(timezone.localtime(row.hidden_from), 'j M Y')}" if row.hidden_from else "Kept"
    return Badge(
        text=f"{kept_until(row.hidden_from)} · {use}",
        short=f"{until} · {'may train' if trains else 'no training'}",
        sentence=_why(row, standing, trains=trains),
        trains=trains,
    )


def _why(row: Tagged, standing: Standing, *, trains: bool) -> str:
    """Why it may train, or may not, at this moment: what was allowed also ends, and rests while terms wait."""
    tag, now = row.tag, clock.now()
    flags = row.facts(standing).flags
    if trains or explaining.reason_of(flags, standing, row.agreement) not in policy.TRAINS:
        return explaining.why_trains(flags, standing, row.agreement)
    if tag.trains_until and tag.trains_until <= now:
        return f"Training was allowed. That ended on {day(tag.trains_until)}: it is counted from the last message."
    if flags.personal and policy.suspended(standing, now):
        return "Newer terms wait for your answer; until then none of your personal chats trains."
    return "What was allowed has not reached this chat yet, so it does not train."


def kept_until(end: datetime | None) -> str:
    return f"Kept until {day(end)}" if end else "Kept until you delete it"


def day(when: datetime) -> str:
    """The day in the person's time zone and language: 23 December 2026."""
    return date_format(timezone.localtime(when), "j F Y")


def moment(when: datetime) -> str:
    return date_format(timezone.localtime(when), "j F Y, H:i")
