"""Heads, nodes and keys are changed, taken back or put in place of others: what is found, and what is named."""

import json
from pathlib import Path

import pytest

from privacy.evidence import heads, keys, tree
from privacy.models import TreeHead
from privacy.vocabulary import Training
from tests.people import alice, charlie
from tests.scenes import decided
from tests.tampering import events, found, ledgered, rewrite, rewrite_tree, sign_again, tamper


@pytest.fixture
def outside(committed, tmp_path) -> Path:
    return ledgered(tmp_path)


def test_a_head_that_was_taken_back_is_missed_by_its_leaves(outside):
    last, before = TreeHead.objects.all()[:2]
    tamper(("DELETE FROM privacy_treehead WHERE id = %s", [last.pk]))
    bad = found()
    assert bad["tree"] == f"leaf {before.size}: the head that was signed with it is missing"
    assert bad["heads in heads.jsonl"].startswith(f"heads.jsonl, line 4: the head of {last.size} leaves")


def test_an_end_that_was_taken_back_with_everything_is_missed_by_the_file_or_by_the_head_outside(outside):
    """As a database that was restored from a backup looks."""
    last, before = TreeHead.objects.all()[:2]
    tamper(
        ("DELETE FROM privacy_treehead WHERE id = %s", [last.pk]),
        ("DELETE FROM privacy_event USING privacy_leaf WHERE event_id = id AND position >= %s", [before.size]),
        ("DELETE FROM privacy_leaf WHERE position >= %s", [before.size]),
        ("DELETE FROM privacy_treenode WHERE (index + 1) << level > %s", [before.size]),
    )
    ends = f"is not in the ledger, which has {before.size} leaves"
    bad = found()["heads in heads.jsonl"]
    assert bad.startswith(f"heads.jsonl, line 4: the head of {last.size} leaves") and bad.endswith(ends)
    sign_again()
    assert found() == {}
    bad = found(outside)[f"heads kept in {outside}"]
    assert bad.startswith(f"kept.jsonl, line 4: the head of {last.size} leaves") and bad.endswith(ends)


def test_a_forged_tail_is_not_the_one_that_was_signed(outside):
    rewrite(events(alice())[-1], mac=True, act="training_denied")
    rewrite_tree()
    sign_again()
    last = TreeHead.objects.first()
    assert found() == {}
    bad = found(outside)[f"heads kept in {outside}"]
    assert bad.startswith(f"kept.jsonl, line 4: the head of {last.size} leaves")
    assert bad.endswith(f"whose first {last.size} leaves are others")


@pytest.mark.parametrize("change", ["at = at + interval '1 second'", "origin = 'elsewhere'", "key_id = 'x'"])
def test_a_head_is_signed_whole(outside, change):
    last = TreeHead.objects.first()
    tamper((f"UPDATE privacy_treehead SET {change} WHERE id = %s", [last.pk]))
    assert found()["heads"].startswith(f"head {last.pk}: ")


def test_a_root_is_that_of_the_leaves(outside):
    last = TreeHead.objects.first()
    tamper(("UPDATE privacy_treehead SET root = repeat('0', 64) WHERE id = %s", [last.pk]))
    assert found()["tree"] == f"head {last.pk}: its root is not that of the first {last.size} leaves"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE privacy_treenode SET hash = repeat('0', 64) WHERE level = 1 AND index = 2", "node 1/2: it is not of"),
        ("DELETE FROM privacy_treenode WHERE level = 2 AND index = 0", "node 2/0: it is missing"),
        ("INSERT INTO privacy_treenode (level, index, hash) VALUES (1, 99, '')", "node 1/99: there are no such leaves"),
        ("UPDATE privacy_leaf SET hash = repeat('0', 64) WHERE position = 4", "leaf 4: it is not of its event"),
    ],
)
def test_nodes_are_those_of_the_leaves(outside, change, named):
    tamper(change)
    assert found()["tree"].startswith(named)


def test_the_builder_signs_nothing_over_a_changed_tree(outside):
    rewrite(events(charlie())[-1], mac=True, act="training_denied")
    rewrite_tree()
    first, last = TreeHead.objects.last(), TreeHead.objects.first()
    tamper(("UPDATE privacy_treehead SET root = %s WHERE id = %s", [first.root, last.pk]))
    decided(charlie(), Training.DENY)
    with pytest.raises(tree.BrokenTree):
        tree.build()
    assert TreeHead.objects.first() == last


def test_a_key_of_somebody_elses_signs_nothing(outside):
    """All heads signed by a key of the attacker's own, which takes the place of the first."""
    mine = keys.private("the attacker's own")
    public = heads.public_of(mine)
    tamper(
        ("UPDATE privacy_ledgerkey SET key_id = %s, public = %s", [heads.key_id(public), public]),
        *(
            (
                "UPDATE privacy_treehead SET key_id = %s, signature = %s WHERE id = %s",
                [heads.key_id(public), heads.sign(head.published(), mine)["signature"], head.pk],
            )
            for head in TreeHead.objects.all()
        ),
    )
    first = json.loads(outside.read_text().splitlines()[0])
    assert found() == {
        "heads in heads.jsonl": f"heads.jsonl, line 1: a head of 6 leaves, but the key '{first['key']}' is not known"
    }


def test_a_key_that_nobody_vouches_for(outside):
    public = heads.public_of(keys.private("the attacker's own"))
    tamper(
        (
            "INSERT INTO privacy_ledgerkey (key_id, public, from_at, vouched_by, voucher)"
            " SELECT %s, %s, now(), key_id, encode('x', 'base64') FROM privacy_ledgerkey",
            [heads.key_id(public), public],
        )
    )
    assert found()["keys"] == f"the voucher for the key {heads.key_id(public)} is wrong"
