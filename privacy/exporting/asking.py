"""Asking for a file, what is known of it, and what becomes of it in the end."""

import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from accounts import clock
from accounts.errors import NotFound
from accounts.models import User
from privacy import outbox
from privacy.exporting import files
from privacy.models import Export
from privacy.models.export import ExportQuerySet

SILENCE = timedelta(minutes=1)  # in the queue, after which another task is sent
REMEMBERED = timedelta(days=30)  # that there was one

logger = logging.getLogger(__name__)


@transaction.atomic
def ask(user: User) -> Export:
    """Have a file made; one that is being made already is the answer. An earlier one goes. Raises NotFound."""
    if not User.objects.select_for_update(no_key=True).filter(pk=user.pk, is_active=True).values_list("pk"):
        raise NotFound
    if under_way := Export.objects.being_made().filter(user=user).first():
        return under_way
    drop(Export.objects.filter(user=user))
    export = Export.objects.create(user=user)
    transaction.on_commit(lambda: queue(export.pk), robust=True)
    return export


def latest(user: User) -> Export | None:
    """What the person last asked for. One whose time is over, or whose file is gone, is over."""
    export = Export.objects.filter(user=user).first()
    ends = export.expires_at if export and export.state == Export.State.READY else None
    if export and ends and (ends <= clock.now() or not _there(export)):
        export.state = Export.State.EXPIRED
    return export


def ready(user: User, key: UUID) -> Export:
    """One's own file, while it can be fetched. Raises NotFound: nobody else's, and none that is over."""
    export = Export.objects.ready(clock.now()).filter(user=user, public_id=key).first()
    if export is None or not _there(export):
        raise NotFound
    return export


def _there(export: Export) -> bool:
    return files.path_of(export.public_id).exists()


@transaction.atomic
def drop(exports: ExportQuerySet) -> int:
    """Rows and files go: now, and where that fails, by the outbox. A worker that has one in hand hears of it."""
    keys = [str(key) for key in exports.values_list("public_id", flat=True)]
    if not keys:
        return 0
    gone, _ = exports.delete()
    outbox.write(files.STORE, keys)
    # No partial: Django asks a robust function that fails for its name.
    transaction.on_commit(lambda: files.forget(keys), robust=True)
    return gone


# --- By the clock -----------------------------------------------------------------


def queue(pk: int) -> None:
    """Hand it to a worker. If the broker is away, the next look at what was forgotten does."""
    from privacy.tasks import make_export

    try:
        make_export.delay(pk)
    except (OperationalError, OSError) as error:
        logger.warning("a file of somebody's data waits for the broker (%s)", type(error).__name__)


def queue_next() -> None:
    """Whoever has waited longest comes next, if a lane is free: nobody's file keeps everybody else waiting."""
    for pk in _waiting(lambda free: free):
        queue(pk)


def forgotten() -> list[int]:
    """Files that no worker has, and whose task was lost; each is given to one caller."""
    return _waiting(lambda free: free.filter(queued_at__lt=clock.now() - SILENCE))


def _waiting(which: Callable[[ExportQuerySet], ExportQuerySet]) -> list[int]:
    now = clock.now()
    lanes = max(settings.EXPORT_LANES - Export.objects.in_hand(now).count(), 0)
    found = (
        which(Export.objects.free(now).filter(queued_at__lte=now))
        .order_by("queued_at", "pk")
        .values_list("pk", "queued_at")[:lanes]
    )
    return [pk for pk, queued in found if Export.objects.filter(pk=pk, queued_at=queued).update(queued_at=now)]


def expire() -> None:
    """Files whose time is over go, then the memory of them; and files that no row names."""
    now = clock.now()
    for export in Export.objects.over(now):
        files.forget([str(export.public_id)])
        Export.objects.over(now).filter(pk=export.pk).update(state=Export.State.EXPIRED)
    old = Export.objects.filter(asked_at__lt=now - REMEMBERED - timedelta(days=settings.EXPORT_DAYS))
    drop(old.exclude(state=Export.State.MAKING))
    kept = (Export.State.MAKING, Export.State.READY)
    for key in files.all_keys():
        if not Export.objects.filter(public_id=key, state__in=kept).exists():
            files.forget([key])
