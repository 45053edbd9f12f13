"""Somebody with every right in the database changes the ledger, past all triggers: what is found, and what is named.

The attacker is the superuser. They may have stolen the MAC key, then the signing key too; what they cannot reach is a
head that somebody keeps outside.
"""

import json
from pathlib import Path

import pytest
from django.conf import settings

from privacy.evidence import tree
from privacy.models import Leaf, TreeHead
from tests.people import bob, charlie
from tests.tampering import events, found, insert, ledgered, rewrite, rewrite_tree, sign_again, swapped, tamper


@pytest.fixture
def outside(committed, tmp_path) -> Path:
    return ledgered(tmp_path)


# --- Change ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "act = 'erased'",
        "detail = detail || '{\"epoch\": 9}'",
        "detail = '{\"epoch\": 0.5}'",
        'context = \'{"address": "x"}\'',
        "at = at + interval '1 microsecond'",
        "source = 'admin'",
        "terms = repeat('0', 64)",
        "actor = NULL",
        "key = gen_random_uuid()",
        "hash = repeat('0', 64)",
        "hash = 'no hash'",
        "previous = repeat('0', 64)",
    ],
)
def test_any_change_of_what_an_event_says_is_found(outside, change):
    victim = events(bob())[1]
    tamper((f"UPDATE privacy_event SET {change} WHERE id = %s", [victim]))
    assert found()["events"].startswith(f"event {victim}: it says something else")


def test_a_change_with_its_hash_is_found_by_the_mac(outside):
    victim = events(bob())[1]
    rewrite(victim, mac=False, act="training_denied")
    assert found()["events"] == f"event {victim}: its MAC is wrong"


def test_another_key_does_not_do(outside):
    victim = events(bob())[1]
    tamper(("UPDATE privacy_event SET mac_key = 'fedcba9876543210' WHERE id = %s", [victim]))
    assert found()["events"] == (
        f"event {victim}: it is authenticated with the key fedcba9876543210, which is not at hand"
    )


def test_a_change_with_a_stolen_mac_key_breaks_the_chain(outside):
    victim, following = events(bob())[1:3]
    rewrite(victim, mac=True, act="training_denied")
    assert found()["events"].startswith(f"event {following}: it does not follow event {victim}")


def test_a_change_of_a_persons_last_event_is_not_of_its_leaf(outside):
    victim = events(bob())[-1]
    leaf = Leaf.objects.get(event=victim)
    rewrite(victim, mac=True, act="training_allowed")
    assert found() == {"tree": f"leaf {leaf.position}: it is not of its event {victim}"}


def test_a_change_with_the_whole_tree_is_not_what_was_signed(outside):
    victim = events(charlie())[-1]
    first = TreeHead.objects.last()
    rewrite(victim, mac=True, act="training_denied")
    rewrite_tree()
    bad = found()
    assert bad["heads"] == f"head {first.pk}: its signature is wrong"
    assert bad["heads in heads.jsonl"].startswith("heads.jsonl, line 1: the head of 6 leaves signed at ")


def test_with_every_key_stolen_and_everything_rewritten_the_head_outside_is_left(outside):
    rewrite(events(charlie())[-1], mac=True, act="training_denied")
    rewrite_tree()
    sign_again()
    assert found() == {}
    bad = found(outside)[f"heads kept in {outside}"]
    assert bad.startswith("kept.jsonl, line 1: the head of 6 leaves signed at ")
    assert bad.endswith("is not in the ledger, whose first 6 leaves are others")


# --- Drop -----------------------------------------------------------------------


def test_a_dropped_event_is_found_by_the_one_that_follows(outside):
    before, victim, following = events(bob())[:3]
    tamper(("DELETE FROM privacy_event WHERE id = %s", [victim]))
    bad = found()
    assert bad["events"].startswith(f"event {following}: it does not follow event {before}")
    assert bad["tree"] == f"leaf {Leaf.objects.get(event=victim).position}: its event {victim} is missing"


def test_a_persons_first_event_is_missed(outside):
    victim, following = events(bob())[:2]
    tamper(("DELETE FROM privacy_event WHERE id = %s", [victim]))
    assert found()["events"] == f"event {following}: the event that it follows is missing"


def test_a_persons_last_event_is_missed_by_its_leaf_and_the_leaf_by_its_neighbours(outside):
    victim = events(charlie())[-1]
    leaf = Leaf.objects.get(event=victim)
    tamper(("DELETE FROM privacy_event WHERE id = %s", [victim]))
    assert found() == {"tree": f"leaf {leaf.position}: its event {victim} is missing"}
    tamper(("DELETE FROM privacy_leaf WHERE position = %s", [leaf.position]))
    assert found() == {"tree": f"leaf {leaf.position}: it is missing"}


def test_a_whole_person_dropped_and_the_tree_closed_over_them_is_not_what_was_signed(outside):
    last = TreeHead.objects.first()
    victims = events(charlie())
    rest = [pk for pk in Leaf.objects.order_by("position").values_list("event", flat=True) if pk not in victims]
    tamper(
        ("DELETE FROM privacy_event WHERE id = ANY(%s)", [victims]),
        "DELETE FROM privacy_leaf",
        ("INSERT INTO privacy_leaf SELECT n - 1, '', e FROM unnest(%s::bigint[]) WITH ORDINALITY AS t (e, n)", [rest]),
    )
    rewrite_tree()
    assert found()["tree"] == f"head {last.pk}: it was signed over {last.size} leaves, and there are {last.size - 2}"


# --- Insert and reorder -------------------------------------------------------------


def test_an_inserted_event_has_no_mac(outside):
    intruder = insert(bob(), mac=False)
    assert found() == {"events": f"event {intruder}: its MAC is wrong"}


def test_an_event_inserted_into_the_past_breaks_a_chain_or_the_tree(outside):
    intruder = insert(charlie(), mac=True)
    last = Leaf.objects.order_by("-position").first()
    tamper(
        "UPDATE privacy_leaf SET position = position + 1000 WHERE position >= 6",
        ("INSERT INTO privacy_leaf VALUES (6, '', %s)", [intruder]),
        "UPDATE privacy_leaf SET position = position - 999 WHERE position >= 1000",
    )
    rewrite_tree()
    assert Leaf.objects.count() == last.position + 2
    bad = found()
    assert bad["tree"] == f"leaf {last.position + 1}: the head that was signed with it is missing"
    assert bad["heads"].endswith("its signature is wrong")


def test_a_stolen_mac_key_can_add_to_the_end_and_only_there(outside):
    """What docs/ledger.md says is not found: an event that was recorded with the product's own key, now."""
    insert(bob(), mac=True)
    tree.build()
    assert found(outside) == {}


def test_two_events_of_one_person_that_changed_places(outside):
    one, other = events(bob())[:2]
    tamper(*swapped("privacy_event", "id", one, other))
    assert found()["events"] == f"event {one}: the event that it follows is missing"


def test_events_of_different_people_that_changed_places(outside):
    one, other = events(charlie())[0], events(bob())[0]
    leaf = min(Leaf.objects.filter(event__in=[one, other]), key=lambda leaf: leaf.position)
    tamper(*swapped("privacy_event", "id", one, other))
    assert found()["tree"] == f"leaf {leaf.position}: it is not of its event {leaf.event_id}"


def test_leaves_that_changed_places(outside):
    tamper(*swapped("privacy_leaf", "position", 2, 3))
    assert found() == {"tree": "node 1/1: it is not of its leaves"}


# --- Empty ----------------------------------------------------------------------


def test_an_emptied_table_is_named_by_what_stood_on_it(outside):
    tamper("DELETE FROM privacy_event")
    assert found() == {"tree": f"leaf 0: its event {Leaf.objects.get(position=0).event_id} is missing"}


def test_an_emptied_ledger_is_named_by_its_heads(outside):
    tamper("TRUNCATE privacy_event, privacy_leaf, privacy_treenode")
    first = TreeHead.objects.last()
    assert found()["tree"] == f"head {first.pk}: it was signed over {first.size} leaves, and there are 0"


def test_an_emptied_ledger_with_its_heads_is_named_by_the_file_and_by_heads_outside(outside):
    tamper("TRUNCATE privacy_event, privacy_leaf, privacy_treenode, privacy_treehead")
    first = json.loads(outside.read_text().splitlines()[0])
    said = f"line 1: the head of 6 leaves signed at {first['at']} is not in the ledger, which has 0 leaves"
    assert found() == {"heads in heads.jsonl": f"heads.jsonl, {said}"}
    Path(settings.LEDGER_HEADS_FILE).unlink()
    assert found() == {}
    assert found(outside) == {f"heads kept in {outside}": f"kept.jsonl, {said}"}
