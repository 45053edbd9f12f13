"""Background work of privacy. Tasks take no text, and may run twice."""

from celery import shared_task

from privacy import reminders
from privacy import scrub as scrubbing
from privacy import sweep as sweeping


@shared_task(name="privacy.tasks.sweep")
def sweep() -> None:
    """Purge what is due, and leave none of its bytes behind."""
    if sweeping.sweep():
        scrub.delay()


@shared_task(name="privacy.tasks.scrub")
def scrub() -> None:
    """Overwrite what was purged."""
    scrubbing.scrub()


@shared_task(name="privacy.tasks.remind")
def remind() -> None:
    """Send the reminders that are due, each once."""
    reminders.remind()
