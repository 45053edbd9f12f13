"""The act of answering: terms and training question together, in one transaction with its evidence and its effects."""

from typing import TYPE_CHECKING

from django.db import transaction

from accounts import clock
from privacy import holdings, ledger, policy, standings, tagging
from privacy.errors import BadAnswer, StaleAnswer
from privacy.models import Standing, Terms
from privacy.vocabulary import Act, Source, Training

if TYPE_CHECKING:
    from accounts.models import User


def is_asked(user: "User") -> bool:
    """Whether the training question is put to `user`: adults only; others never train and are not asked."""
    grown = user.adult_since()
    return grown is not None and grown <= clock.now().date()


@transaction.atomic
def choose(
    *, user: "User", terms: Terms, training: Training | None, keep_history: bool | None, source: Source
) -> policy.Standing:
    """Record that `user` accepts `terms` with this answer; returns what the ledger says now.

    `keep_history` None leaves that wish as it is: where nothing was said about it, nothing is taken away.
    Raises StaleAnswer if `terms` are not the ones owed now, BadAnswer if the answer does not fit the question.
    Saying again what already stands records nothing.
    """
    standing = Standing.objects.for_change(user)
    if terms != standings.owed_terms(standing.user):
        raise StaleAnswer
    if is_asked(standing.user) != (training is not None):
        raise BadAnswer
    if keep_history is None:
        keep_history = standing.keep_history
    acts = _differences(standing, terms, training, keep_history)
    if acts:
        if Training.ALLOW in (standing.training, training) and standing.training != training:
            standing.epoch += 1
        standing.terms, standing.training, standing.keep_history = terms, training, keep_history
        standing.since = clock.now()
        standing.save()
        for act in acts:
            ledger.record(act, subject=user, actor=user, terms=terms, source=source, detail={"epoch": standing.epoch})
        standing = Standing.objects.whole().get(user=user)  # no newer terms are unanswered now
        _carry_out(user, standing)
    return standings.as_facts(user, standing)


@transaction.atomic
def judge_age_anew(user: "User") -> None:
    """Re-tag everything of `user` after a date of birth was given or corrected.

    An Allow of somebody who turns out not to be of age ends for good: its epoch is over, and nothing begun in it trains
    even when they have grown up.
    """
    standing = Standing.objects.for_change(user)
    if standing.training and not is_asked(standing.user):
        standing.training, standing.since = None, clock.now()
        standing.epoch += 1
        standing.save()
        ledger.record(Act.TRAINING_ENDED, subject=user, source=Source.OPERATOR, detail={"epoch": standing.epoch})
    _carry_out(user, standing)


def _differences(standing: Standing, terms: Terms, training: Training | None, keep_history: bool) -> list[Act]:
    """What this answer says that does not stand already."""
    acts = []
    fresh = standing.terms_id != terms.pk
    if fresh:
        acts.append(Act.TERMS_ACCEPTED)
    if training is not None and (fresh or standing.training != training):
        acts.append(Act.TRAINING_ALLOWED if training is Training.ALLOW else Act.TRAINING_DENIED)
    if standing.keep_history != keep_history:
        acts.append(Act.HISTORY_KEPT if keep_history else Act.HISTORY_NOT_KEPT)
    return acts


def _carry_out(user: "User", standing: Standing) -> None:
    """Re-tag everything of `user` under the new standing, and tell the holders once it is true."""
    facts = standings.as_facts(user, standing)
    schedule = standing.terms.schedule if standing.terms else policy.Schedule()
    for _holding, model in holdings.tagged_holdings():
        tagging.retag(model._default_manager.filter(author=user), facts, schedule)  # type: ignore[arg-type]
    for holding in holdings.all_holdings():
        transaction.on_commit(lambda holding=holding: holding.standing_changed(user.pk), robust=True)  # type: ignore[misc]
