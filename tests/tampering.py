"""An attacker with every right in the database, who may have stolen keys; and a ledger for them to change."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings

from accounts.models import User
from privacy import ledger
from privacy.evidence import entry, heads, keys, merkle, tree, verification
from privacy.models import Event, Leaf, Subject, TreeHead
from privacy.vocabulary import Act, Source, Training
from tests import database
from tests.people import alice, bob, charlie
from tests.scenes import decided

SAYS = ("key", "subject", "actor", "act", "terms", "source", "at", "detail", "context", "previous")


def ledgered(folder: Path) -> Path:
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
    kept: Path = folder / "kept.jsonl"
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


def swapped(table: str, column: str, one: int, other: int) -> list[Any]:
    aside = 10**9
    step = f"UPDATE {table} SET {column} = %s WHERE {column} = %s"
    return [(step, [aside, one]), (step, [one, other]), (step, [other, aside])]
