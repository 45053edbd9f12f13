"""The act of answering: terms and training question together, in one transaction with its evidence and its effects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction
from django.db.models import Q

from accounts import clock
from accounts.errors import NotFound
from accounts.models import Workspace
from privacy import holdings, ledger, policy, retagging, standings, tagging, versions
from privacy.errors import BadAnswer, StaleAnswer
from privacy.models import Event, Notice, Standing, Terms
from privacy.vocabulary import Act, Source, Training

if TYPE_CHECKING:
    from accounts.models import User


TRAINING_ACTS = {Act.TRAINING_ALLOWED, Act.TRAINING_DENIED, Act.TRAINING_WITHDRAWN}


class Before(NamedTuple):
    """What stood before an answer."""

    terms: int | None
    training: Training | None
    keep_history: bool
    despite_gpc: bool


def is_asked(user: "User") -> bool:
    """Whether the training question is put to `user`: adults only; others never train and are not asked."""
    grown = user.adult_since()
    return grown is not None and grown <= clock.now().date()


@dataclass(frozen=True)
class Circumstances:
    """What an answer was given in reply to, and how the browser stood to it: evidence beside the answer itself."""

    notice: Notice | None = None
    gpc: bool = False  # the browser asks sites not to share data
    despite_gpc: bool = False  # and the person, asked once more, allowed it all the same
    context: Mapping[str, str] = field(default_factory=dict)  # evidence/context.py

    def detail(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.notice:
            found |= {"notice": str(self.notice.event), "order": self.notice.order, "language": self.notice.language}
        if self.gpc:
            found |= {"gpc": True, "despite_gpc": self.despite_gpc}
        return found


@dataclass(frozen=True)
class Choice:
    """What stands after an answer, what stood before it, and the event to show for it (None: nothing was new)."""

    now: Standing
    before: Before
    event: Event | None


@transaction.atomic
def choose(
    *,
    user: "User",
    terms: Terms,
    training: Training | None,
    keep_history: bool | None,
    source: Source,
    given: Circumstances | None = None,
    seen: str | None = None,
) -> Choice:
    """Record that `user` accepts `terms` with this answer.

    `keep_history` None leaves that wish as it is: where nothing was said about it, nothing is taken away. `seen` is the
    `state` of the standing that the question was put beside; None where nothing was shown.
    Raises StaleAnswer if `terms` are not the ones owed now, or if the person has answered otherwise since `seen`;
    BadAnswer if the answer does not fit the question; NotFound if the person is gone, or going. Saying again what
    already stands records nothing.
    """
    given = given or Circumstances()
    if training is not Training.ALLOW or not given.gpc:  # there is nothing that could have been confirmed
        given = replace(given, despite_gpc=False)
    standing = Standing.objects.for_change(user)
    versions.keep_newest()
    now = clock.now()
    before = Before(standing.terms_id, standing.answer, standing.keep_history, standing.despite_gpc)
    if not standing.user.is_active:
        raise NotFound
    if terms != standings.owed_terms(standing.user, at=now):
        raise StaleAnswer
    if is_asked(standing.user) != (training is not None):
        raise BadAnswer
    if training is Training.ALLOW and given.gpc and not given.despite_gpc:
        raise BadAnswer
    if keep_history is None:
        keep_history = standing.keep_history
    acts = _differences(standing, terms, training, keep_history)
    if acts and seen is not None and seen != standing.state:
        raise StaleAnswer(elsewhere=True)
    if not acts:
        return Choice(standing, before, None)
    if policy.breaks(standing.answer, training):
        standing.epoch += 1
    standing.terms, standing.training, standing.keep_history = terms, training, keep_history
    standing.despite_gpc = given.despite_gpc
    standing.since = now
    standing.save()
    told = [ledger.Entry(act, terms, {"epoch": standing.epoch, **given.detail()}) for act in acts]
    actor = None if source is Source.OPERATOR else user
    events = ledger.record_all(told, subject=user, actor=actor, source=source, context=given.context, at=standing.since)
    standing.stands_again()
    _carry_out(user, standing)
    return Choice(standing, before, _deciding(events))


def undoes_to(before: Before, training: Training | None) -> Training | None:
    """The answer that undoes `training`; None where only the person can say what it should be instead.

    It goes back to the answer before. To somebody's first answer there is none: a first Allow goes back to Don't
    allow, which takes nothing; a first Don't allow to nothing, for an Allow is never given by undoing.
    """
    if before.training is not None:
        return before.training
    return Training.DENY if training is Training.ALLOW else None


def _deciding(events: Sequence[Event]) -> Event:
    """The event that shows best what was decided: the answer on training, if there is one."""
    return next((event for event in events if event.act in TRAINING_ACTS), events[0])


@transaction.atomic
def judge_age_anew(user: "User") -> None:
    """Re-tag everything of `user` after a date of birth was given or corrected.

    An Allow of somebody who turns out not to be of age ends for good: its epoch is over, and nothing begun in it trains
    even when they have grown up.
    """
    standing = Standing.objects.for_change(user)
    if standing.training and not is_asked(standing.user):
        standing.training, standing.despite_gpc, standing.since = None, False, clock.now()
        standing.epoch += 1
        standing.save()
        said = {"epoch": standing.epoch}
        ledger.record(
            Act.TRAINING_ENDED,
            subject=user,
            source=Source.OPERATOR,
            terms=standing.terms,
            detail=said,
            at=standing.since,
        )
    _withdraw_from_work(user)
    _carry_out(user, standing)


@transaction.atomic
def forget_permission(user: "User", training: str | None, epoch: int) -> bool:
    """Take back what a restored backup says of training, where a newer answer (`training`, under `epoch`) was given
    that it does not know. What was begun under any epoch up to that trains nothing. Returns whether anything changed.
    """
    standing = Standing.objects.for_change(user)
    if standing.terms is None or (standing.epoch >= epoch and standing.training == training):
        return False
    standing.training, standing.despite_gpc, standing.since = Training.DENY, False, clock.now()
    standing.epoch = max(standing.epoch, epoch) + 1
    standing.save()
    said = {"epoch": standing.epoch, "restored": True}
    more: dict[str, Any] = {"terms": standing.terms, "detail": said, "at": standing.since}
    ledger.record(Act.TRAINING_WITHDRAWN, subject=user, source=Source.OPERATOR, **more)
    _carry_out(user, standing)
    return True


def _withdraw_from_work(user: "User") -> None:
    """What somebody wrote at work before they were of age, as is known now, was begun under no permission."""
    grown = user.adult_since()
    young = Q(begun_at__lt=datetime.combine(grown, time.min, UTC)) if grown else Q()
    for _holding, model in holdings.tagged_holdings():
        rows: Any = model._default_manager
        mine = rows.filter(young, author=user, workspace__kind=Workspace.Kind.WORK, begun_epoch__isnull=False)
        for workspace in mine.places():
            schedule = standings.schedule_for_turn(workspace, None)
            there = list(mine.filter(workspace=workspace).values_list("pk", flat=True))
            retagging.catch_up(workspace, rows.filter(pk__in=there))
            rows.filter(pk__in=there).update(begun_epoch=None)
            tagging.retag_work(rows.filter(pk__in=there), schedule)


def _differences(standing: Standing, terms: Terms, training: Training | None, keep_history: bool) -> list[Act]:
    """What this answer says that does not stand already."""
    acts = []
    fresh = standing.terms_id != terms.pk
    if fresh:
        acts.append(Act.TERMS_ACCEPTED)
    if training is not None and (fresh or standing.training != training):
        acts.append(_act_of(training, before=standing.answer))
    if standing.keep_history != keep_history:
        acts.append(Act.HISTORY_KEPT if keep_history else Act.HISTORY_NOT_KEPT)
    return acts


def _act_of(training: Training, *, before: Training | None) -> Act:
    if training is Training.ALLOW:
        return Act.TRAINING_ALLOWED
    return Act.TRAINING_WITHDRAWN if before is Training.ALLOW else Act.TRAINING_DENIED


def _carry_out(user: "User", standing: Standing) -> None:
    """Re-tag everything of `user` under the new standing, and tell the holders once it is true."""
    facts, schedule = standings.as_facts(user, standing), standings.schedule_of(standing)
    place = Workspace.objects.filter(personal_to=user).first()
    if place:
        retagging.carry_out(retagging.Decided(place, facts, schedule, clock.now(), terms=standing.terms))
    holdings.tell_standing_changed(user.pk)
