"""Background work of privacy. Tasks take no text, and may run twice."""

import logging
from multiprocessing.sharedctypes import RawValue

from celery import shared_task
from celery.signals import worker_shutting_down

from privacy import alarm, checking, erasure, expiry, letters, reminders, retagging
from privacy import scrub as scrubbing
from privacy import sweep as sweeping
from privacy.evidence import context, keys, tree
from privacy.exporting import asking, making
from privacy.guard import log
from privacy.models import ContextSalt

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 50.0  # beat starts one every minute

# Told to stop, a worker waits for its tasks; its processes do not hear of it. They share this byte with it.
_stopping = RawValue("b", 0)


@worker_shutting_down.connect
def _stop(**_: object) -> None:
    _stopping.value = 1


@shared_task(name="privacy.tasks.sweep")
def sweep() -> None:
    """Purge what is due, and leave none of its bytes behind.

    A run that rests for people's sake may take long, and a worker has few processes: it ends before the next begins.
    """
    if sweeping.sweep(stopping=lambda: bool(_stopping.value), within=SWEEP_SECONDS):
        scrub.delay()


@shared_task(name="privacy.tasks.tell_staff")
def tell_staff() -> None:
    """Send staff the question of a stopped sweep, once."""
    alarm.tell_staff()


@shared_task(name="privacy.tasks.scrub")
def scrub() -> None:
    """Overwrite what was purged."""
    scrubbing.scrub()


@shared_task(name="privacy.tasks.erase")
def erase(user: int) -> None:
    """Erase somebody who asked for it, and leave none of their bytes behind."""
    if erasure.erase(user):
        scrub.delay()


@shared_task(name="privacy.tasks.erase_the_rest")
def erase_the_rest() -> None:
    """Go on with erasures whose task was lost, or that had to wait."""
    for user in erasure.forgotten():
        erase.delay(user)


@shared_task(name="privacy.tasks.retag")
def retag(step: int) -> None:
    """Go on with the re-tag of many conversations."""
    retagging.work(step, stopping=lambda: bool(_stopping.value))


@shared_task(name="privacy.tasks.retag_the_rest")
def retag_the_rest() -> None:
    """Go on with re-tags whose task was lost."""
    for step in retagging.forgotten():
        retag.delay(step)


@shared_task(name="privacy.tasks.make_export")
def make_export(export: int) -> None:
    """Go on with a file of somebody's data for a while; whoever waits then comes next."""
    if making.work(export, stopping=lambda: bool(_stopping.value)):
        asking.queue_next()


@shared_task(name="privacy.tasks.look_after_exports")
def look_after_exports() -> None:
    """Go on with files whose task was lost, and remove those whose time is over."""
    for export in asking.forgotten():
        make_export.delay(export)
    asking.expire()


@shared_task(name="privacy.tasks.check_tags")
def check_tags() -> None:
    """Compare every tag with the policy, and count what differs."""
    checking.check(stopping=lambda: bool(_stopping.value))
    retagging.forget_finished()


@shared_task(name="privacy.tasks.remind")
def remind() -> None:
    """Send the reminders that are due, each once."""
    reminders.remind()


@shared_task(name="privacy.tasks.say_what_ends")
def say_what_ends() -> None:
    """Send each person at most one e-mail a day about chats that end soon."""
    expiry.announce()


@shared_task(name="privacy.tasks.send_letters")
def send_letters() -> None:
    """Send the e-mails about safety reviews that wait."""
    letters.send()


@shared_task(name="privacy.tasks.grow_tree")
def grow_tree(everything: bool = False) -> None:
    """Give new events their leaves and sign the ledger's tree; `everything` looks for late ones among all events."""
    try:
        tree.build(everything=everything)
    except keys.NoSigningKey as missing:
        logger.warning("%s: another machine's worker signs", missing)


@shared_task(name="privacy.tasks.drop_salts")
def drop_salts() -> None:
    """Forget what addresses were hashed with two periods ago, and leave none of its bytes behind."""
    if context.drop_salts():
        scrubbing.rewrite(ContextSalt._meta.db_table)


@shared_task(name="privacy.tasks.log_deletions")
def log_deletions() -> None:
    """What was decided a moment ago reaches the log outside the database."""
    while log.append_new() == log.AT_ONCE:
        pass
