"""Keys that vouch for the ledger are replaced, and what the old ones vouched for stays good."""

import stat
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from privacy.evidence import files, heads, keys, rotation, tree
from privacy.models import Event, Leaf, TreeHead
from privacy.vocabulary import Act
from tests.ledgers import bad, public, recorded


@pytest.fixture
def own_secrets(committed, settings, tmp_path) -> None:
    """An installation that made its keys itself, as a process sees it that was started before any rotation."""
    settings.DATA_DIR = tmp_path
    for name in (keys.MAC_FILE, keys.SIGNING_FILE):
        files.introduce(name, uuid4().hex)
        files.promote(name)
    settings.LEDGER_MAC_KEY, settings.LEDGER_SIGNING_KEY = map(files.current, (keys.MAC_FILE, keys.SIGNING_FILE))


def started_anew(settings: Any) -> None:
    settings.LEDGER_MAC_KEY, settings.LEDGER_SIGNING_KEY = map(files.current, (keys.MAC_FILE, keys.SIGNING_FILE))


def test_a_new_signing_key_is_vouched_for_and_old_heads_stay_good(own_secrets, settings, capsys):
    recorded()
    before = tree.build()
    old = settings.LEDGER_SIGNING_KEY
    for _ in range(2):
        call_command("rotate_ledger_key")
        started_anew(settings)
        recorded()
        after = tree.build()
    assert [key["vouched_by"] for key in keys.listed()][:2] == ["", before.key_id]
    assert len({before.key_id, after.key_id, *public()}) == 3
    for head in (before, after):
        heads.verify_head(head.published(), public())
    assert old not in files.every(keys.SIGNING_FILE)
    said = Event.objects.filter(act=Act.KEY_ROTATED).order_by("pk").first()
    assert said.detail == {"kind": "signing", "key": list(public())[1], "before": before.key_id}
    assert bad() == []


def test_a_process_from_before_the_rotation_signs_with_the_new_key(own_secrets):
    recorded()
    before = tree.build()
    rotation.rotate_signing_key()
    recorded()
    assert tree.build().key_id != before.key_id
    assert bad() == []


def test_a_rotation_that_died_half_way_leaves_a_ledger_that_signs(own_secrets, settings, monkeypatch):
    recorded()
    tree.build()
    monkeypatch.setattr(files, "promote", lambda name: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        rotation.rotate_signing_key()
    monkeypatch.undo()
    started_anew(settings)
    recorded()
    assert tree.build().key_id == keys.listed()[1]["key"]
    rotation.rotate_signing_key()
    started_anew(settings)
    recorded()
    assert tree.build().key_id == keys.listed()[2]["key"]
    assert bad() == []


def test_a_replaced_key_signs_nothing_any_more(own_secrets, move_clock):
    """Whoever finds the old secret later signs heads that nobody believes."""
    recorded()
    first = tree.build()
    stolen = keys.signing_key()
    rotation.rotate_signing_key()
    move_clock(minutes=2)
    head = tree.build()
    forged = heads.sign(head.published() | {"key": ""}, stolen)
    TreeHead.objects.create(
        origin=head.origin,
        size=head.size,
        root=head.root,
        at=head.at,
        key_id=first.key_id,
        signature=forged["signature"],
    )
    assert bad()[0].endswith(f"the key {first.key_id} had been replaced when it was signed")


def test_keys_of_the_environment_are_replaced_by_giving_both(own_secrets, settings):
    settings.LEDGER_SIGNING_KEY = "the first"
    recorded()
    tree.build()
    with pytest.raises(CommandError, match="LEDGER_OLD_SIGNING_KEY"):
        call_command("rotate_ledger_key")
    settings.LEDGER_SIGNING_KEY = "the second"
    with pytest.raises(CommandError, match="not at hand"):
        call_command("rotate_ledger_key")
    settings.LEDGER_OLD_SIGNING_KEY = "the first"
    recorded()
    tree.build()  # a process that was given both before the command was run
    call_command("rotate_ledger_key")
    settings.LEDGER_OLD_SIGNING_KEY = ""
    recorded()
    tree.build()
    assert bad() == [] and len(keys.listed()) == 2


def test_a_machine_without_the_secret_leaves_the_signing_to_another(own_secrets, settings, tmp_path):
    recorded()
    tree.build()
    settings.DATA_DIR, settings.LEDGER_SIGNING_KEY = tmp_path / "elsewhere", "another"
    recorded()
    with pytest.raises(keys.NoSigningKey):
        tree.build()
    assert Leaf.objects.count() == 1


def test_a_new_mac_key_leaves_old_events_checkable(own_secrets, settings, capsys):
    recorded()
    call_command("rotate_ledger_key", "--mac")
    recorded()  # by a process from before
    started_anew(settings)
    recorded()
    tree.build()
    assert len(set(Event.objects.values_list("mac_key", flat=True))) == 2
    assert bad() == []
    aside = next(files.folder().glob(f"{keys.MAC_FILE}.*"))
    aside.rename(aside.with_name("lost"))
    assert bad()[0].endswith("which is not at hand")


def test_mac_keys_of_the_environment(own_secrets, settings):
    settings.LEDGER_MAC_KEY = "the first"
    recorded()
    tree.build()
    with pytest.raises(CommandError, match="give the new key"):
        call_command("rotate_ledger_key", "--mac")
    settings.LEDGER_MAC_KEY = "the second"
    with pytest.raises(CommandError, match="cannot be checked"):
        call_command("rotate_ledger_key", "--mac")
    settings.LEDGER_OLD_MAC_KEYS = ["the first"]
    call_command("rotate_ledger_key", "--mac")
    tree.build()
    assert bad() == []


def test_secrets_are_readable_by_their_owner_only(own_secrets):
    rotation.rotate_mac_key()
    rotation.rotate_signing_key()
    found = list(files.folder().iterdir())
    assert sorted(path.name for path in found)[1] == keys.MAC_FILE + "." + keys.key_id(keys.mac_key()[1])
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
