"""A sweep in a process of its own: it ends with a whole chunk when told to, and leaves whole ones when killed."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection

from chat.models import Conversation, Message
from privacy import sweep as sweeping
from privacy.models import Event, SweepRun, Tombstone
from privacy.models.sweep import StoppedBy
from privacy.vocabulary import Act, Training
from tests.people import alice
from tests.running import wait_for
from tests.scenes import answered, decided

ROOT = Path(__file__).resolve().parent.parent
MANY = 400
COMMAND = ("manage.py", "sweep_retention", "--chunk", "5")


@pytest.fixture
def due(committed, move_clock):
    """As many as take the process a while."""
    decided(alice(), Training.DENY)
    first = answered(alice()).conversation
    for _ in range(MANY - 1):
        answered(alice()) if Conversation.objects.count() < 3 else _another(first)
    move_clock(days=31)


def _another(like: Conversation) -> None:
    """A copy in the database: asking four hundred times takes long and shows nothing more."""
    copies = [_copy(like) for _ in range(MANY - Conversation.objects.count())]
    Conversation.objects.bulk_create(copies)
    Message.objects.bulk_create(
        Message(conversation=copy, role="assistant", state="complete", text="One that is kept.") for copy in copies
    )


def _copy(like: Conversation) -> Conversation:
    values = {
        field.attname: getattr(like, field.attname)
        for field in Conversation._meta.fields
        if field.name not in {"id", "public_id", "leaf"}
    }
    return Conversation(**values)


def started() -> "subprocess.Popen[str]":
    url = urlunsplit(urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}"))
    variables = os.environ | {"DATABASE_URL": url, "CLOCK_FILE": settings.CLOCK_FILE}
    return subprocess.Popen(
        [sys.executable, *COMMAND],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def whole() -> bool:
    """Every conversation is there with its messages and no tombstone, or gone with them and has one; and it is told."""
    left, told = Conversation.objects.count(), Event.objects.filter(act=Act.PURGED)
    return (
        not Message.objects.exclude(conversation__in=Conversation.objects.all()).exists()
        and not Conversation.objects.filter(messages__isnull=True).exists()
        and not Conversation.objects.filter(public_id__in=Tombstone.objects.values("key")).exists()
        and Tombstone.objects.count() == MANY - left == sum(event.detail["count"] for event in told)
        and sum(SweepRun.objects.values_list("purged", flat=True)) == MANY - left
    )


def test_killed_at_any_point_it_leaves_whole_chunks_and_the_next_run_finishes(due):
    chance = random.Random(os.urandom(8))
    for _ in range(3):
        begun_with = Tombstone.objects.count()
        process = started()
        try:
            enough = begun_with + chance.randrange(1, 100)
            wait_for(lambda more=enough: Tombstone.objects.count() >= more, 30)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        assert whole()
    assert Conversation.objects.exists(), "it was too quick to be killed: this test would prove nothing"
    sweeping.sweep()
    assert whole() and not Conversation.objects.exists()
    assert sweeping.sweep() is None


def test_told_to_stop_it_ends_within_two_seconds_and_says_so(due):
    process = started()
    wait_for(lambda: Tombstone.objects.exists(), 30)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=2)
    assert process.returncode == 0 and "stopped early: the worker was told to stop" in said
    assert SweepRun.objects.first().stopped_by == StoppedBy.SHUTDOWN
    assert whole() and Conversation.objects.exists()
    sweeping.sweep()
    assert whole() and not Conversation.objects.exists()
