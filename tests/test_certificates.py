"""A certificate says what went and when, is issued when all of it has gone, and proves what it says."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from django.test import Client
from django.urls import reverse

from accounts import clock
from chat.models import Conversation, Message
from chat.turns import conversations
from privacy import certificates, holdings, outbox, sweep, tasks
from privacy.canonical import digest
from privacy.evidence import heads, merkle, tree
from privacy.models import Deletion, Forgotten, Outbox, Tombstone
from privacy.vocabulary import Training
from tests.people import alice, bob
from tests.scenes import answered, decided

WORD = "xanthic"


def deleted(times: int = 1) -> list[UUID]:
    """Conversations of Alice's that she has deleted."""
    decided(alice(), Training.ALLOW)
    chats = [answered(alice(), f"Remember {WORD}").conversation for _ in range(times)]
    Message.objects.filter(role="assistant").update(operator="Example Models")
    return [conversations.delete(alice(), conversation=chat.public_id).public_id for chat in chats]


def purged(move_clock: Any, times: int = 1) -> list[UUID]:
    keys = deleted(times)
    move_clock(hours=25)
    sweep.sweep()
    return keys


def sealed() -> None:
    """What a worker does within seconds: the log outside the database knows, and the ledger's head is signed."""
    tasks.log_deletions()
    tree.build()


def holds(document: dict[str, Any]) -> bool:
    """As docs/certificates.md says how to check one: nothing is asked of the database."""
    proof, of = document["proof"], document["of"]
    assert proof["leaf"] == f"{of['kind']}:{of['key']}:{of['cause']}"
    hashed, path = merkle.leaf_hash(proof["leaf"].encode()), [bytes.fromhex(node) for node in proof["path"]]
    root = bytes.fromhex(proof["event"]["detail"]["root"])
    in_chunk = merkle.verify_inclusion(hashed, proof["index"], proof["count"], path, root)
    event = merkle.leaf_hash(bytes.fromhex(digest(proof["event"])))
    head, path = proof["head"], [bytes.fromhex(node) for node in proof["event_path"]]
    in_tree = merkle.verify_inclusion(event, proof["position"], head["size"], path, bytes.fromhex(head["root"]))
    heads.verify_head(head, heads.verify_keys(proof["keys"]))
    return in_chunk and in_tree


def page(client: Client, key: UUID) -> str:
    return client.get(reverse("privacy:certificate", args=[key])).content.decode()


class TestOfAConversation:
    def test_waits_then_says_what_went_and_proves_it(self, committed, move_clock, client):
        one, other, third = deleted(3)
        assert "It is purged everywhere from" in page(client, one)
        address = reverse("privacy:certificate_document", args=[one])
        assert client.get(address).status_code == 409
        move_clock(hours=25)
        sweep.sweep()
        assert "is being finished" in page(client, one) and client.get(address).status_code == 409
        sealed()
        for key in (one, other, third):
            said = json.loads(client.get(reverse("privacy:certificate_document", args=[key])).content)
            assert holds(said) and said["of"]["key"] == str(key)
            counts = {store["name"]: store["count"] for store in said["stores"]}
            assert counts == {"chat.conversation": 1, "messages": 2, "journals": 1}
            assert [one["operator"] for one in said["beyond_reach"]] == ["Example Models"]
            assert WORD not in json.dumps(said) and alice().email not in json.dumps(said)
        assert "Example Models operates" in page(client, one)

    def test_of_another_nothing_is_proven(self, committed, move_clock):
        one, other = purged(move_clock, 2)
        sealed()
        found = certificates.find(one)
        assert found and found.document and holds(found.document)
        lied = json.loads(json.dumps(found.document).replace(str(one), str(other)))
        assert not holds(lied)

    def test_is_not_issued_before_the_last_store_has_forgotten(self, committed, move_clock):
        chat = next(one for one in holdings.all_holdings() if one.name == "conversations")
        holdings.register(replace(chat, stores={"journals": lambda _: 1 / 0}))
        try:
            (key,) = purged(move_clock)
            sealed()
            assert Outbox.objects.exists() and not Forgotten.objects.exists()
            found = certificates.find(key)
            assert found and found.document is None and found.purged_at is None
        finally:
            holdings.register(chat)
        move_clock(hours=26)
        assert outbox.work_off() == 1
        found = certificates.find(key)
        assert found and found.document and holds(found.document)
        assert found.document["stores"][-1]["gone_at"] > found.document["stores"][0]["gone_at"]

    def test_is_not_issued_before_no_backup_brings_it_back(self, committed, move_clock):
        (key,) = purged(move_clock)
        tree.build()
        found = certificates.find(key)
        assert found and found.purged_at and found.document is None
        sealed()
        found = certificates.find(key)
        assert found and found.document and holds(found.document)

    def test_while_it_is_held_it_says_so(self, db, client):
        (key,) = deleted()
        Conversation.objects.filter(public_id=key).update(held=True, purge_after=None)
        assert "A legal hold keeps it" in page(client, key)

    def test_there_is_none_of_what_is_not_deleted(self, db, client):
        decided(alice(), Training.DENY)
        for key in (answered(alice()).conversation.public_id, uuid4()):
            for name in ("certificate", "certificate_document"):
                assert client.get(reverse(f"privacy:{name}", args=[key])).status_code == 404

    def test_what_expired_has_one_too(self, committed, move_clock):
        decided(alice(), Training.DENY)
        key = answered(alice()).conversation.public_id
        move_clock(days=31)
        sweep.sweep()
        sealed()
        found = certificates.find(key)
        assert found and found.document and found.document["of"]["cause"] == "expired" and holds(found.document)
        assert not Deletion.objects.exists()

    def test_from_before_there_were_certificates_there_is_none(self, db, client):
        stone = {"kind": "chat.conversation", "retention_class": "standard", "cause": "deleted"}
        key = Tombstone.objects.create(key=uuid4(), **stone).key
        assert "so there is none" in page(client, key)


class TestList:
    def test_has_what_one_deleted_oneself(self, committed, move_clock, client):
        (key,) = purged(move_clock)
        client.force_login(alice())
        assert str(key) in client.get(reverse("privacy:deletions")).content.decode()
        client.force_login(bob())
        assert "Nothing that you deleted" in client.get(reverse("privacy:deletions")).content.decode()

    def test_is_forgotten_after_a_year(self, committed, move_clock):
        purged(move_clock)
        move_clock(days=365)
        sweep.sweep()
        assert Deletion.objects.exists()
        move_clock(days=368)
        for holding in holdings.all_holdings():
            holding.expire(clock.now())
        assert not Deletion.objects.exists()
