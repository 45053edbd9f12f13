"""Writing one answer from claim to end, as a Celery task does it."""

from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import connections

from chat.generation import lease
from chat.generation.engine import engine
from chat.models.message import State
from chat.providers.base import provider_for

MOST_ATTEMPTS = 20
DRAIN_SECONDS = 1.5  # of the three that `up` gives its worker to end


def write_answer(pk: int) -> None:
    """Write the answer `pk`, if it is open and nobody else writes it."""
    work = lease.claim(pk)
    if work is None:
        return
    if ending := _ends_at_once(work):
        lease.finish(work.pk, work.attempt, work.text, ending)
        return
    connections.close_all()
    outcome = engine().write(work)
    if outcome.state is not None:
        lease.finish(work.pk, outcome.attempt, outcome.text, outcome.state, outcome.error)
    elif outcome.released:
        lease.release(work.pk, outcome.attempt, outcome.text)


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
    if engine.cache_info().currsize:
        engine().drain(DRAIN_SECONDS)
