"""What applies to a person now, since when, and because of which of their answers: the standing with its evidence."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from privacy.choices import TRAINING_ACTS, is_asked
from privacy.models import Event, Standing, Terms
from privacy.models.ledger import EventQuerySet
from privacy.policy import suspended
from privacy.vocabulary import Act, Training

if TYPE_CHECKING:
    from accounts.models import User


class State(StrEnum):
    NEVER = "never"  # has not answered any terms
    ANSWERED = "answered"
    WAITING = "waiting"  # newer terms wait for an answer; the earlier one stands until their deadline
    RESTING = "resting"  # that deadline is over


@dataclass(frozen=True)
class Signal:
    """Global Privacy Control: what the browser says now, and what was recorded of it."""

    now: bool
    seen: datetime | None  # when it was last recorded
    confirmed: Event | None  # the standing Allow, confirmed although a browser asked the opposite


@dataclass(frozen=True)
class Applies:
    """`because` is the event of the answer on training that stands, `since` the moment from which it has held
    without a break; `history` the event of the wish that stands; `accepted` that of the terms.
    """

    state: State
    asked: bool  # whether the training question is put to this person at all
    age_known: bool
    training: Training | None
    keep_history: bool
    terms: Terms | None  # those answered
    waiting: Terms | None
    until: datetime | None  # until when there is, or was, time to answer the newer ones
    because: Event | None
    since: datetime | None
    history: Event | None
    accepted: Event | None
    signal: Signal

    @property
    def allowed(self) -> bool:
        """Whether an Allow stands, even where it rests."""
        return self.asked and self.training is Training.ALLOW

    @property
    def rests(self) -> bool:
        return self.allowed and self.state is State.RESTING


def applies(user: "User", standing: Standing | None, owed: Terms, *, at: datetime, gpc: bool) -> Applies:
    """What applies to `user`, given their row (read by `whole()`) and the terms owed now; five queries."""
    row, events = standing or Standing(user=user), Event.objects.of(user)
    state = _state(row, owed, at)
    because = events.filter(act__in=[*TRAINING_ACTS, Act.TRAINING_ENDED]).first()
    return Applies(
        state=state,
        asked=is_asked(user),
        age_known=user.date_of_birth is not None,
        training=row.answer,
        keep_history=row.keep_history,
        terms=row.terms,
        waiting=owed if state in (State.WAITING, State.RESTING) else None,
        until=row.facts().suspended_from,
        because=because,
        since=_since(events, row, because),
        history=events.filter(act__in=[Act.HISTORY_KEPT, Act.HISTORY_NOT_KEPT]).first(),
        accepted=events.filter(act=Act.TERMS_ACCEPTED).first(),
        signal=_signal(events, row, gpc=gpc),
    )


def _state(row: Standing, owed: Terms, at: datetime) -> State:
    if row.terms_id is None:
        return State.NEVER
    if row.terms_id == owed.pk:
        return State.ANSWERED
    return State.RESTING if suspended(row.facts(), at) else State.WAITING


def _since(events: EventQuerySet, row: Standing, because: Event | None) -> datetime | None:
    """Saying the same again to newer terms breaks nothing: the first answer of the epoch counts."""
    if because is None:
        return row.since
    first = events.filter(act__in=TRAINING_ACTS, detail__epoch=row.epoch).order_by("pk").first()
    return first.at if first and because.act in TRAINING_ACTS else because.at


def _signal(events: EventQuerySet, row: Standing, *, gpc: bool) -> Signal:
    confirmed = events.filter(detail__despite_gpc=True, detail__epoch=row.epoch).order_by("pk").first()
    seen = events.filter(detail__gpc=True) | events.filter(act=Act.GPC_SEEN)
    last = seen.first()
    return Signal(gpc, last.at if last else None, confirmed)
