"""What a tag says, in words: the badge on a conversation and the reasons behind it."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from accounts import clock
from privacy import policy
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
        sentence=_why(row, standing),
        trains=trains,
    )


def _why(row: Tagged, standing: Standing) -> str:
    """Why it may train, or may not, at this moment: an Allow ends, rests, or was withdrawn after the tag."""
    tag, now = row.tag, clock.now()
    flags = row.facts(standing).flags
    if tag.reason not in policy.TRAINS or policy.trains(flags, tag, row.tag_epoch, standing, row.agreement, now):
        return tag.reason.sentence
    if tag.trains_until and tag.trains_until <= now:
        return f"Training was allowed. That ended on {day(tag.trains_until)}: it is counted from the last message."
    if flags.personal and policy.suspended(standing, now):
        return "Newer terms wait for your answer; until then nothing of yours trains."
    return policy.rule(flags, standing, policy.Schedule(agreement=row.agreement)).reason.sentence


def reasons(row: Tagged, standing: Standing) -> list[tuple[str, str]]:
    """Question and answer pairs for the "why?" page."""
    said = badge(row, standing)
    tag = row.tag
    may = f"Yes, until {day(tag.trains_until)}" if said.trains and tag.trains_until else "No"
    rows = [
        ("How long is this chat kept?", f"{kept_until(row.hidden_from)}. {tag.retention_class.sentence}"),
        ("May it train models?", f"{may}. {said.sentence}"),
    ]
    if tag.purge_after:
        rows.append(
            ("When is it gone for good?", f"It is purged from Parley's systems soon after {moment(tag.purge_after)}.")
        )
    if row.grace_until and row.hidden_from == row.grace_until:
        rows.append(
            ("Why that day?", "An end never jumps nearer than 30 days, so that you have time to keep what you want.")
        )
    return rows


def kept_until(end: datetime | None) -> str:
    return f"Kept until {day(end)}" if end else "Kept until you delete it"


def day(when: datetime) -> str:
    """The day in the person's time zone and language: 23 December 2026."""
    return date_format(timezone.localtime(when), "j F Y")


def moment(when: datetime) -> str:
    return date_format(timezone.localtime(when), "j F Y, H:i")
