"""The clock that a background worker carries (`--beat`) is started again when it dies.

Celery runs it in a process of its own, starts it with the worker and never looks at it again: killed, nothing would be
swept, reminded or taken up again, and the worker would go on as if nothing had happened.
"""

import logging
from typing import Any

from celery import bootsteps
from celery.beat import EmbeddedService
from celery.worker.components import Beat, Timer

LOOKED_AT = 2.0  # seconds between two looks

logger = logging.getLogger(__name__)


class BeatAgain(bootsteps.StartStopStep):
    """A step of every worker; of use in those that have the clock."""

    requires = (Timer, Beat)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self.looks: Any = None

    def start(self, worker: Any) -> None:
        if worker.beat:
            self.looks = worker.timer.call_repeatedly(LOOKED_AT, self.look, (worker,))

    def stop(self, worker: Any) -> None:
        if self.looks:
            self.looks.cancel()

    def look(self, worker: Any) -> None:
        if worker.beat.is_alive():
            return
        logger.warning("the clock of the background work died and is started again")
        again: Any = EmbeddedService(
            worker.app, schedule_filename=worker.schedule_filename, scheduler_cls=worker.scheduler
        )
        worker.beat = again
        for step in worker.steps:
            if isinstance(step, Beat):
                step.obj = again  # which is stopped with the worker
        again.start()
