"""A file that is being made while its worker dies, sleeps, is told to stop, or fails: the next one goes on."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as configured
from django.db import connection
from kombu.exceptions import OperationalError

from accounts import clock
from chat.models import Conversation, Message
from privacy import tasks
from privacy.exporting import archive as archives
from privacy.exporting import asking, files, making
from privacy.models import Export
from privacy.vocabulary import Training
from tests.people import alice, bob, max_
from tests.running import wait_for
from tests.scenes import answered, decided
from tests.test_sweep_killed import _copy
from tests.zips import contents, finish, made, path_of

ROOT = Path(__file__).resolve().parent.parent
WORK = """
import sys, django
django.setup()
from privacy.exporting import making
making.WORD = 0
making.work(int(sys.argv[1]), within=600)
"""


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.EXPORTS_DIR = str(tmp_path / "exports")


def many(number: int = 100) -> None:
    """Alice has so many chats; asking for each takes long and shows nothing more."""
    decided(alice(), Training.DENY)
    first = answered(alice()).conversation
    copies = [_copy(first) for _ in range(number - 1)]
    Conversation.objects.bulk_create(copies)
    Message.objects.bulk_create(
        Message(conversation=copy, role="assistant", state="complete", text="One that is kept.") for copy in copies
    )


def without_moments(found: dict[str, str]) -> dict[str, Any]:
    """What two files of the same data have in common: all but when they were made."""
    said = json.loads(found.pop("parley-export.json"))
    said.pop("made_at"), said.pop("exports")
    return {**found, "document": said, "index.html": found["index.html"].partition("<section")[2]}


def started(export: Export) -> "subprocess.Popen[bytes]":
    url = urlunsplit(urlsplit(configured.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}"))
    variables = {"DATABASE_URL": url, "CLOCK_FILE": configured.CLOCK_FILE, "EXPORTS_DIR": configured.EXPORTS_DIR}
    return subprocess.Popen([sys.executable, "-c", WORK, str(export.pk)], cwd=ROOT, env=os.environ | variables)


def members(export: Export) -> int:
    export.refresh_from_db()
    return export.members


def test_killed_at_any_point_the_next_goes_on_and_the_file_is_the_same(committed, move_clock, settings):
    many(400)
    settings.EXPORT_LANES = 2  # so that nothing but the lease keeps a second worker away
    move_clock(seconds=0)
    wanted = without_moments(contents(made(alice())))
    export = asking.ask(alice())
    chance, before = random.Random(os.urandom(8)), 0
    for minutes in range(3):
        process = started(export)
        try:
            enough = before + chance.randrange(20, 150)
            wait_for(lambda more=enough: members(export) >= more, 60)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        assert members(export) >= enough > before and export.state == Export.State.MAKING
        assert not making.work(export.pk), "the dead one's lease still holds"
        before = export.members
        move_clock(minutes=2 * (minutes + 1))
        assert asking.forgotten() == [export.pk] and asking.forgotten() == []
    finish(export)
    assert without_moments(contents(export)) == wanted
    assert export.attempt == 4 and list(path_of(export).parent.iterdir()) == [path_of(export)]


@pytest.mark.django_db
class TestSlices:
    def test_a_file_is_made_in_slices_and_is_the_same(self):
        many()
        wanted = without_moments(contents(made(alice())))
        export = asking.ask(alice())
        seen = []
        while export.state == Export.State.MAKING:
            assert making.work(export.pk, within=0.1)
            export.refresh_from_db()
            seen.append(export.done)
        assert len(seen) > 3 and seen == sorted(seen) and seen[-1] == export.total
        assert without_moments(contents(export)) == wanted

    def test_told_to_stop_it_hands_the_file_back_whole(self, monkeypatch):
        many()
        monkeypatch.setattr(making, "WORD", 0)
        export = asking.ask(alice())
        for calls in (5, 30, 120):
            left = iter(range(calls))
            making.work(export.pk, stopping=lambda left=left: next(left, None) is None)
            export.refresh_from_db()
            assert (export.state, export.held_until, export.tries) == ("making", None, 0)
        finish(export)
        assert len(contents(export)) == 2 * Conversation.objects.count() + 4

    def test_a_worker_that_slept_spoils_nothing(self, monkeypatch, move_clock):
        """It wakes up in the middle of a member, when another has taken over and finished."""
        many()
        export, add = asking.ask(alice()), archives.Archive.add
        monkeypatch.setattr(making, "WORD", 0)
        asleep: list[str] = []
        sleeper: list[archives.Archive] = []

        def added(archive, name, pieces, *, about=""):
            if archive.mark.members == 40 and not asleep:
                asleep.append(name)
                sleeper.append(archive)
                move_clock(minutes=5)
                finish(export)
            elif asleep and archive is sleeper[0]:
                asleep.append(name)
            add(archive, name, pieces, about=about)

        monkeypatch.setattr(archives.Archive, "add", added)
        assert making.work(export.pk)
        assert len(asleep) == 1, "it went on, although it had lost the file"
        assert len(contents(export)) == 2 * Conversation.objects.count() + 4
        assert (export.state, export.attempt) == ("ready", 2)
        assert files.hash_of(path_of(export), lambda: None) == export.sha256
        assert list(path_of(export).parent.iterdir()) == [path_of(export)]

    def test_what_fails_is_tried_again_and_then_said(self, monkeypatch, move_clock, client):
        decided(alice(), Training.DENY)
        answered(alice())
        export = asking.ask(alice())

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(archives.Archive, "sync", full)
        monkeypatch.setattr(archives.Archive, "finish", full)
        for attempt in range(making.TRIES + 1):
            export.refresh_from_db()
            assert export.state == Export.State.MAKING
            move_clock(minutes=5 * (attempt + 1))
            making.work(export.pk)
        export.refresh_from_db()
        assert (export.state, export.failure) == (Export.State.FAILED, Export.Failure.NO_ROOM)
        assert list(files.all_keys()) == []
        client.force_login(alice())
        page = client.get("/privacy/export/").content.decode()
        assert "there was no room for it" in page and "Try again" in page

    def test_after_a_failure_it_goes_on_where_it_was(self, monkeypatch, move_clock):
        many()
        export, add = asking.ask(alice()), archives.Archive.add
        monkeypatch.setattr(making, "WORD", 0)
        written: list[str] = []

        def added(archive, name, pieces, *, about=""):
            written.append(name)
            if len(written) == 101:
                raise RuntimeError
            add(archive, name, pieces, about=about)

        monkeypatch.setattr(archives.Archive, "add", added)
        making.work(export.pk)
        export.refresh_from_db()
        assert (export.state, export.members, export.held_until) == ("making", 98, None)
        finish(export)
        assert len(contents(export)) == 2 * Conversation.objects.count() + 4 and len(written) < 210

    def test_a_file_that_was_lost_is_begun_anew(self):
        many()
        export = asking.ask(alice())
        making.work(export.pk, within=0.1)
        files.forget([str(export.public_id)])
        finish(export)
        assert len(contents(export)) == 2 * Conversation.objects.count() + 4


@pytest.mark.django_db
class TestTurns:
    def test_one_lane_and_whoever_waited_longest_comes_next(self, monkeypatch, settings, move_clock):
        move_clock(seconds=0)
        sent: list[int] = []
        monkeypatch.setattr(tasks.make_export, "delay", sent.append)
        people = [alice(), bob(), max_()]
        for seconds, person in enumerate(people):
            move_clock(seconds=seconds)
            asking.ask(person)
        first, second, third = (Export.objects.get(user=person) for person in people)
        Export.objects.filter(pk=second.pk).update(held_until=clock.now() + making.LEASE)
        assert not making.work(first.pk)
        settings.EXPORT_LANES = 2
        assert making.work(first.pk)
        move_clock(minutes=3)
        asking.queue_next()
        assert sent == [second.pk, third.pk]

    def test_a_lost_task_is_sent_again(self, monkeypatch, move_clock):
        sent: list[int] = []
        monkeypatch.setattr(tasks.make_export, "delay", sent.append)
        export = asking.ask(alice())
        tasks.look_after_exports()
        assert sent == []
        move_clock(minutes=2)
        tasks.look_after_exports()
        tasks.look_after_exports()
        assert sent == [export.pk]

    def test_without_the_broker_it_waits(self, monkeypatch, move_clock, django_capture_on_commit_callbacks):
        def away(_):
            raise OperationalError

        monkeypatch.setattr(tasks.make_export, "delay", away)
        with django_capture_on_commit_callbacks(execute=True):
            export = asking.ask(alice())
        assert export.state == Export.State.MAKING
        move_clock(minutes=2)
        assert asking.forgotten() == [export.pk]

    def test_the_task_makes_it_and_hands_on(self, monkeypatch):
        sent: list[int] = []
        monkeypatch.setattr(tasks.make_export, "delay", sent.append)
        first, second = asking.ask(alice()), asking.ask(bob())
        tasks.make_export(first.pk)
        first.refresh_from_db()
        assert first.state == Export.State.READY and sent == [second.pk]
        tasks.make_export(first.pk)  # twice, and after the end
        tasks.make_export(0)
