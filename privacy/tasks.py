"""Background work of privacy. Tasks take no text, and may run twice."""

from celery import shared_task

from privacy import sweep as sweeping


@shared_task(name="privacy.tasks.sweep")
def sweep() -> None:
    """Purge what is due."""
    sweeping.sweep()
