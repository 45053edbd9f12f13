"""What becomes of a conversation that was eligible: it is included, or left out for one of these reasons."""

from enum import StrEnum

from chat.models.training import INCLUDED
from privacy.permission import Refusal

__all__ = ["INCLUDED", "Left", "sentence_of"]


class Left(StrEnum):
    """Left out although it may train."""

    EMPTY = "empty"
    UNSURE = "unsure"
    UNREADABLE = "unreadable"


SENTENCES = {
    INCLUDED: "Is in the set",
    Left.EMPTY: "Has no question with a complete answer on the branch that is shown",
    Left.UNSURE: "Has something in it of which the filter is not sure whether it is sensitive",
    Left.UNREADABLE: "The filter failed on its text",
    Refusal.GONE: "Was purged meanwhile",
    Refusal.DELETED: "Was deleted meanwhile",
    Refusal.HELD: "Is under a legal hold",
    Refusal.FLAGGED: "Is under safety review",
    Refusal.TEMPORARY: "Is temporary",
    Refusal.WAITING: "Waits for a re-tag",
    Refusal.WITHDRAWN: "The permission was withdrawn",
    Refusal.RESTING: "The permission rests until newer terms are answered",
    Refusal.ENDED: "Its time for training is over",
    Refusal.OBJECTED: "Its author said no to an exchange in it",
    Refusal.DISAGREED: "Its tag and the policy do not agree",
}


def sentence_of(outcome: str) -> str:
    return SENTENCES.get(outcome, outcome)
