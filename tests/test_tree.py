"""The tree over the ledger: who gets which leaf, what is signed when, what is proved and published."""

import base64
import hashlib
import json
import re
import stat
import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from privacy import ledger
from privacy.evidence import files, heads, headsfile, keys, merkle, rotation, tree, verification
from privacy.models import Event, Leaf, LedgerKey, TreeHead, TreeNode
from privacy.vocabulary import Act, Source

WELL_KNOWN = "/.well-known/parley/"


def recorded(number: int = 1) -> list[Event]:
    """So many events have been recorded, about nobody."""
    return ledger.record_all(
        [ledger.Entry(Act.PURGED, detail={"count": n}) for n in range(number)], source=Source.SWEEP
    )


def public() -> dict[str, str]:
    return heads.verify_keys(keys.listed())


def bad() -> list[str]:
    return [finding.bad for finding in verification.verify(show=lambda check, rows: None) if finding.bad]


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


# --- Publishing -----------------------------------------------------------------


@pytest.mark.django_db
class TestWellKnown:
    def test_anybody_follows_it_from_the_index(self, client):
        for _ in range(2):
            recorded(3)
            tree.build()
        index = client.get(WELL_KNOWN).json()
        listed = client.get(index["keys"]).json()["keys"]
        latest = client.get(index["head"]).json()
        heads.verify_head(latest, heads.verify_keys(listed))
        assert listed[0]["verifier"].startswith("localhost/parley+")
        note = client.get(index["checkpoint"])
        assert note.headers["Content-Type"].startswith("text/plain") and note.content.decode() == latest["note"]
        every = client.get(index["heads"]).json()
        assert [head["size"] for head in every["heads"]] == [3, 6] and every["next"] is None
        proof = client.get(index["consistency"], {"from": 3, "to": 6}).json()
        roots = [bytes.fromhex(head["root"]) for head in every["heads"]]
        assert merkle.verify_consistency(3, 6, *roots, [bytes.fromhex(node) for node in proof["path"]])
        assert client.get(f"{WELL_KNOWN}heads/3.json").json()["root"] == every["heads"][0]["root"]

    def test_caches_may_keep_it_and_no_cookie_is_set(self, client):
        recorded(3)
        tree.build()
        for page in (
            "",
            "head.json",
            "checkpoint",
            "heads.json",
            "keys.json",
            "consistency.json?from=1",
            "heads/3.json",
        ):
            answer = client.get(WELL_KNOWN + page)
            assert answer.status_code == 200 and "public" in answer.headers["Cache-Control"] and not answer.cookies

    def test_pages_of_heads_lead_on(self, client, monkeypatch):
        monkeypatch.setattr("privacy.views.wellknown.PAGE", 2)
        for _ in range(5):
            recorded()
            tree.build()
        address, sizes = f"{WELL_KNOWN}heads.json", []
        while address:
            page = client.get(address).json()
            sizes.append([head["size"] for head in page["heads"]])
            address = page["next"]
        assert sizes == [[1, 2], [3, 4], [5]]

    @pytest.mark.parametrize(
        "query", ["", "from=0", "from=2&to=1", "from=1&to=4", "from=x", "from=-1", "from=1&to=²", f"from={10**30}"]
    )
    def test_what_is_no_size_is_refused(self, client, query):
        recorded(3)
        tree.build()
        assert client.get(f"{WELL_KNOWN}consistency.json?{query}").status_code == 400

    def test_before_the_first_head_there_is_none(self, client):
        for page in ("head.json", "checkpoint", "consistency.json?from=1", "heads/1.json"):
            assert client.get(WELL_KNOWN + page).status_code == 404
        assert client.get(f"{WELL_KNOWN}keys.json").json() == {"keys": []}

    def test_nobody_changes_anything_there(self, client):
        assert Client(enforce_csrf_checks=False).post(f"{WELL_KNOWN}head.json").status_code == 405


# --- Keys -----------------------------------------------------------------------


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
