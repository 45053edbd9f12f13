"""The tree over the ledger: who gets which leaf, what is signed when, and what is proved."""

import base64
import hashlib
import json
import re
import threading
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from privacy.evidence import heads, headsfile, merkle, tree
from privacy.models import Leaf, LedgerKey, TreeHead, TreeNode
from tests.ledgers import bad, public, recorded

# --- Leaves ---------------------------------------------------------------------


@pytest.mark.django_db
class TestLeaves:
    def test_events_get_their_leaves_in_order_and_once(self):
        events = recorded(3)
        tree.build()
        tree.build()
        assert list(Leaf.objects.order_by("position").values_list("position", "event")) == [
            (position, event.pk) for position, event in enumerate(events)
        ]

    def test_nodes_and_roots_are_those_of_the_leaves_however_the_tree_was_built(self, monkeypatch):
        monkeypatch.setattr(tree, "CHUNK", 4)
        hashes = []
        for number in (1, 1, 2, 3, 9, 1, 6):
            hashes += [merkle.leaf_hash(bytes.fromhex(event.hash)) for event in recorded(number)]
            head = tree.build()
            assert head and (head.size, head.root) == (len(hashes), merkle.root(hashes).hex())
        for node in TreeNode.objects.all():
            assert node.hash == merkle.root(hashes[node.index << node.level : (node.index + 1) << node.level]).hex()
        assert TreeNode.objects.count() == sum(len(hashes) >> level for level in range(1, 6))

    def test_a_backlog_is_taken_in_bounded_chunks(self, monkeypatch):
        monkeypatch.setattr(tree, "CHUNK", 10)
        recorded(25)
        tree.build()
        assert [head.size for head in TreeHead.objects.order_by("pk")] == [10, 20, 25]

    def test_it_costs_the_same_however_large_the_ledger(self):
        costs = []
        for number in (1, 31):  # the leaf after them completes a subtree both times
            recorded(number)
            tree.build()
            recorded(1)
            with CaptureQueriesContext(connection) as queries:
                tree.build()
            costs.append(len(queries))
        assert costs[0] == costs[1]


def test_what_is_committed_late_is_not_missed(committed, monkeypatch):
    began, others_are_built = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            recorded()
            began.set()
            others_are_built.wait(10)
        connection.close()

    late = threading.Thread(target=slow)
    late.start()
    began.wait(10)
    on_time = recorded()[0]
    tree.build()
    assert Leaf.objects.get().event == on_time
    others_are_built.set()
    late.join()
    tree.build()
    assert [leaf.event_id for leaf in Leaf.objects.order_by("position")] == [on_time.pk, on_time.pk - 1]
    assert bad() == []


@pytest.mark.django_db
def test_what_is_committed_very_late_is_found_by_the_run_that_looks_at_everything(monkeypatch):
    monkeypatch.setattr(tree, "LOOK_BACK", 5)
    events = recorded(20)
    hidden = events[2].pk
    taken = tree._leafless
    monkeypatch.setattr(tree, "_leafless", lambda after: [row for row in taken(after) if row[0] != hidden])
    tree.build()
    monkeypatch.setattr(tree, "_leafless", taken)
    tree.build()
    assert not Leaf.objects.filter(event=hidden).exists()
    tree.build(everything=True)
    assert Leaf.objects.get(event=hidden).position == 19


def test_one_builder_at_a_time_and_no_writer_waits_for_it(committed):
    recorded()
    building, done = threading.Event(), threading.Event()

    def builder() -> None:
        with transaction.atomic():
            tree.build()
            building.set()
            done.wait(10)
        connection.close()

    other = threading.Thread(target=builder)
    other.start()
    building.wait(10)
    recorded()  # waits for nobody
    assert tree.build() is None and not Leaf.objects.exists()
    done.set()
    other.join()
    assert tree.build() and Leaf.objects.count() == 2
    assert bad() == []


# --- Heads ----------------------------------------------------------------------


@pytest.mark.django_db
class TestHeads:
    def test_an_empty_ledger_is_not_signed(self):
        assert tree.build() is None and not LedgerKey.objects.exists()

    def test_a_tree_that_has_not_grown_is_signed_anew_after_a_minute(self, move_clock):
        recorded()
        first = tree.build()
        assert tree.build() is None
        move_clock(seconds=61)
        again = tree.build()
        assert (again.size, again.root) == (first.size, first.root) and again.at - first.at > timedelta(seconds=59)

    def test_a_clock_that_goes_back_does_not_make_heads_older(self, move_clock):
        recorded()
        move_clock(hours=1)
        first = tree.build()
        move_clock(hours=0)
        recorded()
        assert tree.build().at == first.at

    def test_heads_are_checked_with_the_published_key_and_nothing_in_them_can_be_changed(self):
        recorded(5)
        head = tree.build().published()
        heads.verify_head(head, public())
        changes = {"origin": "x", "size": 4, "root": "0" * 64, "at": "2020-01-01T00:00:00.000000Z", "signature": "x"}
        for name, value in changes.items():
            with pytest.raises(heads.BadSignature):
                heads.verify_head(head | {name: value}, public())
        for nonsense in ({}, {"key": head["key"]}, head | {"root": "x"}, head | {"root": None}):
            with pytest.raises(heads.BadSignature):
                heads.verify_head(nonsense, public())
        with pytest.raises(heads.BadSignature, match="not known"):
            heads.verify_head(head, {})

    def test_a_note_is_a_c2sp_checkpoint(self):
        """Read by the specification's rules alone (c2sp.org/signed-note, c2sp.org/tlog-checkpoint)."""
        recorded(5)
        head, key = tree.build().published(), LedgerKey.objects.get()
        text, _, signatures = heads.note(head, key.public).rpartition("\n\n")
        text += "\n"
        origin, size, root, *_ = text.splitlines()
        assert (origin, int(size), base64.b64decode(root).hex()) == (head["origin"], 5, head["root"])
        name, marked = re.fullmatch(r"— (\S+) (\S+)\n", signatures).groups()
        verifier, hashed, encoded = heads.verifier_key(origin, key.public).split("+", 2)
        raw = base64.b64decode(encoded)
        assert name == verifier == origin and raw[0] == 1
        assert hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() == hashed
        assert base64.b64decode(marked)[:4].hex() == hashed
        Ed25519PublicKey.from_public_bytes(raw[1:]).verify(base64.b64decode(marked)[4:], text.encode())
        assert heads.from_note(heads.note(head, key.public), public()) == head


def test_heads_stand_in_a_file_too(committed):
    for _ in range(3):
        recorded()
        tree.build()
    said = [json.loads(line) for line in headsfile.path().read_text().splitlines()]
    assert said == [head.published() for head in TreeHead.objects.order_by("pk")]


@pytest.mark.parametrize("torn", ["", '{"origin": "localho', "half"])
def test_a_line_that_a_crash_tore_or_swallowed_is_written_again(committed, torn):
    for _ in range(3):
        recorded()
        tree.build()
    whole = headsfile.path().read_text().splitlines()
    left = whole[2][: len(whole[2]) // 2] if torn == "half" else torn
    headsfile.path().write_text(f"{whole[0]}\n{whole[1]}\n{left}")
    recorded()
    tree.build()
    lines = headsfile.path().read_text().splitlines()
    assert lines[-2:] == [whole[2], json.dumps(TreeHead.objects.first().published())]
    assert bad() == []
    lines.insert(2, '{"origin": "else')
    headsfile.path().write_text("\n".join(lines) + "\n")
    assert bad() == ["heads.jsonl, line 3: it is no head"]


def test_a_file_that_does_not_fit_is_said_and_never_rewritten(committed, caplog):
    recorded()
    strange = json.dumps(tree.build().published() | {"signature": "x"}) + "\n"
    headsfile.path().write_text(strange)
    recorded()
    tree.build()
    assert "is not in the database" in caplog.text
    assert headsfile.path().read_text() == strange + json.dumps(TreeHead.objects.first().published()) + "\n"


# --- Proofs ---------------------------------------------------------------------


@pytest.mark.django_db
class TestProofs:
    def test_every_event_is_proved_under_the_latest_head(self):
        events = []
        for number in (1, 4, 8, 6):
            events += recorded(number)
            tree.build()
        for event in events:
            proof = tree.proof_of(event)
            path = [bytes.fromhex(node) for node in proof.path]
            leaf = merkle.leaf_hash(bytes.fromhex(event.hash))
            assert merkle.verify_inclusion(leaf, proof.position, proof.size, path, bytes.fromhex(proof.head["root"]))
            heads.verify_head(proof.head, public())

    def test_an_event_without_a_leaf_has_no_proof_yet(self):
        event = recorded()[0]
        assert tree.proof_of(event) is None
        tree.build()
        assert tree.proof_of(event).position == 0

    def test_a_proof_costs_the_same_queries_and_few_rows_however_large_the_tree(self):
        first = recorded()[0]
        costs = []
        for number in (2, 60):
            recorded(number)
            tree.build()
            with CaptureQueriesContext(connection) as queries:
                tree.proof_of(first)
            costs.append(len(queries))
        assert costs == [3, 3]
