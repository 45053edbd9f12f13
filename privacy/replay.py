"""What the events about a person add up to: the standing, derived from the ledger alone. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from privacy.vocabulary import Act, Training

TRAINING: Mapping[Act, Training | None] = {
    Act.TRAINING_ALLOWED: Training.ALLOW,
    Act.TRAINING_DENIED: Training.DENY,
    Act.TRAINING_WITHDRAWN: Training.DENY,
    Act.TRAINING_ENDED: None,
}
HISTORY: Mapping[Act, bool] = {Act.HISTORY_KEPT: True, Act.HISTORY_NOT_KEPT: False}
# The acts that change a standing. Notices, deferrals, reminders and purges do not.
TELLING = (Act.TERMS_ACCEPTED, *TRAINING, *HISTORY)


@dataclass(frozen=True)
class Said:
    """One event, as far as a standing depends on it."""

    act: Act
    terms: str  # digest of the version, where it is about one
    at: datetime
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Answers:
    """A standing as the ledger tells it; `terms` is the digest of the version answered."""

    terms: str = ""
    training: Training | None = None
    despite_gpc: bool = False
    keep_history: bool = False
    epoch: int = 0
    since: datetime | None = None


def replay(events: Iterable[Said]) -> Answers:
    """The standing of a person about whom this was recorded, in this order."""
    answers = Answers()
    for said in events:
        answers = _after(answers, said)
    return answers


def _after(before: Answers, said: Said) -> Answers:
    if said.act not in TELLING:
        return before
    training = TRAINING.get(said.act, before.training)
    return Answers(
        terms=said.terms if said.act is Act.TERMS_ACCEPTED else before.terms,
        training=training,
        # Each answer says anew whether it was given in spite of the browser's signal.
        despite_gpc=training is Training.ALLOW and bool(said.detail.get("despite_gpc", False)),
        keep_history=HISTORY.get(said.act, before.keep_history),
        epoch=said.detail.get("epoch", before.epoch),
        since=said.at,
    )
