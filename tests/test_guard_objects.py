"""The guard's log in an object storage: a server that speaks S3, on this machine."""

import urllib.request
from collections.abc import Iterator
from uuid import uuid4

import obstore.exceptions
import pytest
from django.db import connection
from moto.server import ThreadedMotoServer

from accounts import clock
from chat.models import Conversation
from chat.turns import conversations
from config.up import restored
from privacy import tasks
from privacy.guard import log, watch
from privacy.guard.places import Objects
from privacy.models import GuardEntry
from privacy.vocabulary import Training
from tests import database
from tests.people import alice
from tests.scenes import answered, decided
from tests.test_guard import kinds, replayed
from tests.threads import at_once


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    one = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    one.start()
    host, port = one.get_host_and_port()
    yield f"http://{host}:{port}"
    one.stop()


@pytest.fixture
def bucket(server, settings, monkeypatch) -> str:
    """The log lies in a bucket of its own."""
    for name, value in {
        "AWS_ENDPOINT": server,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"guard-{uuid4().hex[:12]}"
    urllib.request.urlopen(urllib.request.Request(f"{server}/{name}", method="PUT"), timeout=10)
    settings.GUARD_LOG = f"s3://{name}/log"
    return str(settings.GUARD_LOG)


def test_what_is_decided_stands_there_in_its_order_and_chained(committed, bucket):
    decided(alice(), Training.DENY)
    key = answered(alice()).conversation.public_id
    tasks.log_deletions()
    conversations.delete(alice(), conversation=key)
    conversations.undelete(alice(), conversation=key)
    assert kinds() == ["answered", "deleted", "restored"]
    newest = log.last()
    assert newest and (newest.kind, newest.sequence) == ("restored", 3)
    assert len(list(Objects(bucket)._names())) == 2, "an object for each append"


def test_two_at_a_time_append_once(committed, bucket):
    GuardEntry.objects.bulk_create([GuardEntry(kind="head", said={"size": n}) for n in range(1_200)])
    assert at_once(*[tasks.log_deletions] * 2) == []
    tasks.log_deletions()
    assert [line.sequence for line in log.lines()] == list(range(1, 1_201))


def test_nothing_is_ever_written_over(committed, bucket):
    """Another database under the same address is refused; what it wanted to say stays with it."""
    decided(alice(), Training.DENY)
    tasks.log_deletions()
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        Objects(bucket).append(b"{}\n", 1)
    assert [line.kind for line in log.lines()] == ["answered"]


def test_one_that_was_changed_is_noticed(committed, bucket):
    decided(alice(), Training.DENY)
    answered(alice())
    tasks.log_deletions()
    there = Objects(bucket)
    (name,) = there._names()
    said = bytes(obstore.get(there.storage, name).bytes())
    obstore.put(there.storage, name, said.replace(b'"deny"', b'"allow"'))
    with pytest.raises(log.Broken):
        list(log.lines())


def test_a_restored_database_is_not_read_before_it_knows_what_stands_there(committed, bucket, tmp_path):
    decided(alice(), Training.ALLOW)
    key = answered(alice()).conversation.public_id
    tasks.log_deletions()
    with database.backed_up(tmp_path / "backup.sql") as restore:
        conversations.delete(alice(), conversation=key)
        tasks.log_deletions()
        restore()
        with pytest.raises(watch.OlderThanLog, match="s3://"):
            Conversation.objects.exists()
        assert "1 chats that people deleted" in replayed()
        connection.close()
        assert not Conversation.objects.visible(clock.now()).exists()


def test_up_asks_while_it_prepares_the_database():
    assert restored.is_older("s3://bucket/log", "postgresql://nobody@127.0.0.1:1/none")
