"""Having a set built by the background workers: asked for in the administration, its progress stands there."""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from accounts import clock
from chat.models import TrainingChunk, TrainingSet
from chat.training import snapshot

if TYPE_CHECKING:
    from accounts.models import User

SILENCE = timedelta(minutes=10)  # without a word of a chunk, after which somebody else takes it

logger = logging.getLogger(__name__)


@transaction.atomic
def ask(reason: str, *, by: "User") -> TrainingSet:
    """Begin a set of what may train now, and hand its chunks to the workers."""
    made = snapshot.begin(reason=reason, by=by)
    transaction.on_commit(lambda: queue(made.pk), robust=True)
    return made


def queue(training_set: int) -> None:
    """Hand it to as many workers as it may have. If the broker is away, the next look at what was forgotten does."""
    from chat.tasks import fill_training_chunk

    try:
        for _ in range(max(settings.TRAINING_LANES, 1)):
            fill_training_chunk.delay(training_set)
    except (OperationalError, OSError) as error:
        logger.warning("a training set waits for the broker (%s)", type(error).__name__)


def progress(training_set: TrainingSet) -> tuple[int, int]:
    """How many chunks are done, and of how many."""
    chunks = TrainingChunk.objects.filter(training_set=training_set)
    return chunks.filter(done_at__isnull=False).count(), chunks.count()


def forgotten() -> list[int]:
    """Sets that are being built and that nobody has in hand."""
    busy = TrainingChunk.objects.filter(done_at__isnull=True, taken_at__gte=clock.now() - SILENCE)
    idle = TrainingSet.objects.unfinished().exclude(pk__in=busy.values("training_set"))
    return list(idle.order_by("pk").values_list("pk", flat=True))
