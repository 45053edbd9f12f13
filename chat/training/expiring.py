"""A set that nobody seals is a copy of people's words for nothing: it goes after a while, files and rows."""

import shutil
from datetime import datetime, timedelta

from chat.models import TrainingSet

UNSEALED_KEPT = timedelta(days=7)


def forget_unsealed(now: datetime) -> None:
    open_states = (TrainingSet.State.BUILDING, TrainingSet.State.BUILT)
    for old in TrainingSet.objects.filter(state__in=open_states, snapshot_at__lt=now - UNSEALED_KEPT):
        shutil.rmtree(old.folder, ignore_errors=True)
        old.delete()
