"""The "why?" page of a conversation: what applies to it, for which reason, and which answer that follows from."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from privacy import because, explaining
from privacy.badge import Badge, badge, day, kept_until, moment
from privacy.because import Because
from privacy.models import Tagged
from privacy.policy import Standing

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True)
class Line:
    """A question of the page, its answer, and what that follows from."""

    question: str
    answer: str
    because: Because | None = None


def lines(row: Tagged, user: "User", standing: Standing) -> list[Line]:
    """What the page says of `row` to its author, under their standing."""
    found = [
        Line("How long is this chat kept?", _kept(row, standing), because.of_keeping(row, user, standing)),
        Line("May it train models?", _trains(row, badge(row, standing)), because.of_training(row, user, standing)),
    ]
    if gone := _gone(row):
        found.append(Line("When is it gone for good?", gone))
    if row.grace_until and row.hidden_from == row.grace_until:
        why = "An end never jumps nearer than 30 days, so that you have time to keep what you want."
        found.append(Line("Why that day?", why))
    return found


def _kept(row: Tagged, standing: Standing) -> str:
    flags, tagged = row.facts(standing).flags, row.tag.retention_class
    return f"{kept_until(row.hidden_from)}. {explaining.why_kept(flags, standing, row.agreement, tagged)}"


def _trains(row: Tagged, said: Badge) -> str:
    may = f"Yes, until {day(row.trains_until)}" if said.trains and row.trains_until else "No"
    return f"{may}. {said.sentence}"


def _gone(row: Tagged) -> str:
    """When it is purged; nothing of what has no end and is not set apart."""
    if row.held:
        return "Not before the legal hold is released, also if you delete it or its end comes before that."
    if row.purge_after is None:
        return ""
    said = f"It is purged from Parley's systems soon after {moment(row.purge_after)}."
    if row.flagged_at and row.hidden_from and row.purge_after > row.hidden_from:
        said += " That is later than its end, for it was set apart for a safety review."
    return said
