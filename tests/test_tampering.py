"""Somebody with every right in the database changes the ledger, past all triggers: what is found, and what is named.

The attacker is the superuser. They may have stolen the MAC key, then the signing key too; what they cannot reach is a
head that somebody keeps outside.
"""

import json
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from privacy import ledger
from privacy.evidence import entry, heads, keys, merkle, tree, verification
from privacy.models import Event, Leaf, LedgerKey, Subject, TreeHead
from privacy.vocabulary import Act, Source, Training
from tests import database
from tests.people import alice, bob, charlie
from tests.scenes import decided

SAYS = ("key", "subject", "actor", "act", "terms", "source", "at", "detail", "context", "previous")


@pytest.fixture
def outside(committed, tmp_path) -> Path:
    """A ledger of three people and some months, and a copy of its heads that somebody keeps elsewhere."""
    for person in (alice(), bob(), charlie()):
        decided(person, Training.ALLOW)
    tree.build()
    for person in (alice(), bob()):
        decided(person, Training.DENY)
        tree.build()
    ledger.record(Act.PURGED, source=Source.SWEEP, detail={"count": 3})
    decided(alice(), Training.ALLOW, keep_history=True)
    tree.build()
    kept: Path = tmp_path / "kept.jsonl"
    kept.write_bytes(Path(settings.LEDGER_HEADS_FILE).read_bytes())
    assert found() == {} and TreeHead.objects.count() == 4
    return kept


def found(*kept: Path) -> dict[str, str]:
    """The first bad row of each check that finds one."""
    findings = list(verification.verify(kept_heads=kept, show=lambda check, rows: None))
    return {finding.check: finding.bad for finding in findings if finding.bad}


def tamper(*statements: Any) -> None:
    """Run statements as the superuser, whom no trigger and no foreign key hinders."""
    with database.superuser() as attacker:
        for statement in statements:
            query, values = (statement, None) if isinstance(statement, str) else statement
            attacker.execute(query, values)


def events(person: User | None = None) -> list[int]:
    """The ids of a person's events, or of all, in order."""
    rows = Event.objects.filter(subject=Subject.objects.get(user=person).key) if person else Event.objects.all()
    return list(rows.order_by("pk").values_list("pk", flat=True))


def rewrite(event_pk: int, *, mac: bool, **changes: Any) -> None:
    """Change an event with its hash, and with its MAC where the key was stolen."""
    event = Event.objects.get(pk=event_pk)
    for name, value in changes.items():
        setattr(event, name, value)
    hashed = entry.hash_of(entry.said(**{name: getattr(event, name) for name in SAYS}))
    code = entry.mac_of(hashed, keys.mac_key()[1]) if mac else event.mac
    tamper(
        (
            "UPDATE privacy_event SET act = %s, previous = %s, hash = %s, mac = %s WHERE id = %s",
            [event.act, event.previous, hashed, code, event_pk],
        )
    )


def rewrite_tree() -> None:
    """Make leaves, nodes and roots fit the events as they are now; heads keep their signatures."""
    frontier = merkle.Frontier()
    statements: list[Any] = ["DELETE FROM privacy_treenode"]
    for leaf in Leaf.objects.select_related("event").order_by("position"):
        hashed = merkle.leaf_hash(bytes.fromhex(leaf.event.hash))
        statements.append(("UPDATE privacy_leaf SET hash = %s WHERE position = %s", [hashed.hex(), leaf.position]))
        for (level, index), node in frontier.append(hashed):
            statements.append(
                ("INSERT INTO privacy_treenode (level, index, hash) VALUES (%s, %s, %s)", [level, index, node.hex()])
            )
        for head in TreeHead.objects.filter(size=frontier.size):
            root = frontier.root().hex()
            statements.append(("UPDATE privacy_treehead SET root = %s WHERE id = %s", [root, head.pk]))
    tamper(*statements)


def sign_again() -> None:
    """Sign all heads anew with the stolen key, and rewrite the file beside the database."""
    for head in TreeHead.objects.all():
        signed = heads.sign(head.published(), keys.signing_key())
        tamper(("UPDATE privacy_treehead SET signature = %s WHERE id = %s", [signed["signature"], head.pk]))
    lines = [json.dumps(head.published()) + "\n" for head in TreeHead.objects.order_by("pk")]
    Path(settings.LEDGER_HEADS_FILE).write_text("".join(lines))


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


def insert(person: User, *, mac: bool) -> int:
    """An event that was never recorded, at the end of a person's chain."""
    last = Event.objects.of(person).first()
    assert last
    said: dict[str, Any] = {name: getattr(last, name) for name in SAYS} | {
        "key": uuid4(),
        "previous": last.hash,
        "act": "erased",
    }
    hashed = entry.hash_of(entry.said(**said))
    code = entry.mac_of(hashed, keys.mac_key()[1]) if mac else "0" * 64
    with database.superuser() as attacker:
        row = attacker.execute(
            "INSERT INTO privacy_event (key, subject, actor, act, terms, source, at, detail, context, previous, hash,"
            " mac, mac_key) SELECT %s, subject, actor, %s, terms, source, at, detail, context, %s, %s, %s, mac_key"
            " FROM privacy_event WHERE id = %s RETURNING id",
            [said["key"], said["act"], last.hash, hashed, code, last.pk],
        ).fetchone()
    assert row
    return int(row[0])


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


def swapped(table: str, column: str, one: int, other: int) -> list[Any]:
    aside = 10**9
    step = f"UPDATE {table} SET {column} = %s WHERE {column} = %s"
    return [(step, [aside, one]), (step, [one, other]), (step, [other, aside])]


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


# --- Heads, nodes and keys ------------------------------------------------------


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


# --- Not tampering ----------------------------------------------------------------


def test_erasing_a_person_leaves_the_evidence_and_the_chain(outside):
    numbers = events(bob())
    Subject.objects.filter(user=bob()).delete()
    assert found(outside) == {}
    assert Event.objects.filter(pk__in=numbers).count() == len(numbers)
    assert not Event.objects.of(bob()).exists()


def test_what_is_recorded_meanwhile_disturbs_nothing(outside):
    checks = verification.verify(kept_heads=[outside], show=lambda check, rows: None)
    findings = [next(checks)]

    def meanwhile() -> None:
        decided(charlie(), Training.DENY)
        tree.build()
        connection.close()

    for _ in range(2):
        other = threading.Thread(target=meanwhile)
        other.start()
        other.join()
        findings.append(next(checks))
    findings += checks
    assert [finding.bad for finding in findings] == [""] * 6
    assert TreeHead.objects.count() == 5


def test_the_command_says_one_line_each_and_fails_with_the_first_bad_row(outside, capsys):
    call_command("verify_ledger", "--head", str(outside))
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "ok  keys: 1" and said[-1] == "The ledger is what was recorded."
    victim = events(bob())[1]
    tamper(("UPDATE privacy_event SET act = 'erased' WHERE id = %s", [victim]))
    with pytest.raises(CommandError) as refused:
        call_command("verify_ledger")
    assert refused.value.returncode == 1
    assert f"BAD events: event {victim}: it says something else" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["json", "note", "lines", "page", "nonsense", "forged"])
def test_heads_kept_in_any_published_form(outside, tmp_path, form):
    head = TreeHead.objects.all()[1]
    said = head.published()
    text = {
        "json": json.dumps(said | {"note": "…"}, indent=2),
        "note": heads.note(said, LedgerKey.objects.get().public),
        "lines": outside.read_text(),
        "page": json.dumps({"heads": [said]}),
        "nonsense": "nonsense",
        "forged": json.dumps(said | {"size": 3}),
    }[form]
    kept = tmp_path / "one"
    kept.write_text(text)
    expected = {
        "nonsense": {f"heads kept in {kept}": "one, line 1: it is no head"},
        "forged": {f"heads kept in {kept}": "one, line 1: a head of 3 leaves, but its signature is wrong"},
    }
    assert found(kept) == expected.get(form, {})
