"""Writing one answer from claim to end, as a Celery task does it."""

import logging
import time

from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import Error, connections

from chat.generation import lease
from chat.generation.ending import finish
from chat.generation.engine import engine, running_engine
from chat.models.message import State
from chat.providers.base import provider_for

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 20
AGAIN_AFTER = (0.5, 1.0, 2.0)  # seconds, where the database does not take an ending
DRAIN_SECONDS = 1.5  # of the three that `up` gives its worker to end


def write_answer(pk: int) -> None:
    """Write the answer `pk`, if it is open and nobody else writes it."""
    work = lease.claim(pk)
    if work is None:
        return
    if ending := _ends_at_once(work):
        _finish(work.pk, work.attempt, work.text, ending)
        return
    connections.close_all()
    outcome = engine().write(work)
    if outcome.state is not None:
        _finish(work.pk, outcome.attempt, outcome.text, outcome.state, outcome.error)
    elif outcome.released:
        lease.release(work.pk, outcome.attempt, outcome.text)


def _finish(pk: int, attempt: int, text: str, state: State, error: str = "") -> None:
    """End the answer, if need be in several tries. A database that stays away leaves it to its lease: that runs out,
    and the next worker goes on from the text that was saved last.
    """
    for pause in (*AGAIN_AFTER, 0):
        try:
            finish(pk, attempt, text, state, error)
            return
        except Error as failure:
            logger.warning("an answer was not ended: %s", type(failure).__name__)
        connections.close_all()
        time.sleep(pause)


def _ends_at_once(work: lease.Work) -> State | None:
    """A stop that came before, or an answer that broke off and that this provider cannot go on with."""
    if work.stopped:
        return State.STOPPED
    if not work.revived:
        return None
    stuck = work.attempt > MOST_ATTEMPTS or (work.text and not provider_for(settings.MODEL).can_continue)
    return State.INTERRUPTED if stuck else None


@worker_shutting_down.connect
def _drain(**_: object) -> None:
    if running := running_engine():
        running.drain(DRAIN_SECONDS)
