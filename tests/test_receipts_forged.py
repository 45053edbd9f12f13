"""What somebody changed in a receipt is found, whatever it is, and by both programs that check one."""

import json

import pytest

from privacy.evidence import heads, keys, tree
from privacy.evidence import receipt as receipts
from privacy.vocabulary import Training
from tests.forging import (
    NOT_COVERED,
    Checked,
    alterations,
    containers,
    latest_of,
    leaves,
    put,
    reshaped,
    rewritten,
    signed,
    signed_by_a_stranger,
)
from tests.people import bob
from tests.receipts import (
    KINDS,
    SCRIPT,
    allowed,
    allowed_in_spite_of_the_signal,
    by_command,
    by_script,
    kept,
    kept_keys,
    own_secrets,
    replaced_key,
)
from tests.scenes import decided

pytestmark = pytest.mark.django_db


@pytest.fixture
def checked(client, settings, tmp_path) -> Checked:
    """A receipt as full as they get: three answers at once, two keys, other people's events beside it."""
    settings.CONTROLLER = {"name": "Example Ltd", "contact": "x@example.org", "address": "1 Quay", "country": "IE"}
    own_secrets(settings, tmp_path)
    decided(bob(), Training.DENY)
    tree.build()
    event = allowed_in_spite_of_the_signal(client)
    replaced_key(settings)
    return Checked(kept(client, event, tmp_path))


# --- One thing at a time ------------------------------------------------------------


def test_every_value_is_covered_but_those_that_are_written_down(checked):
    found = set()
    for path, value in leaves(checked.receipt):
        for other in alterations(value):
            receipt = checked.altered()
            put(receipt, path, other)
            if checked.holds(receipt):
                assert path in NOT_COVERED, (path, value, other)
                found.add(path)
    assert found == NOT_COVERED


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_value_is_covered_in_a_receipt_of_each_kind(client, tmp_path, kind):
    checked = Checked(kept(client, kind(client), tmp_path))
    for path, value in leaves(checked.receipt):
        receipt = checked.altered()
        put(receipt, path, f"{value}x")
        assert checked.holds(receipt) == (path in NOT_COVERED), path


def test_true_is_not_one(client, tmp_path):
    """Python takes one for the other; whoever reads the receipt does not."""
    checked = Checked(kept(client, allowed(client), tmp_path))
    receipt = checked.altered()
    first = receipt["parley:evidence"]["events"][0]
    assert first["position"] == 1
    first["position"] = True
    assert not checked.holds(receipt)


def test_what_is_not_covered_is_still_text(checked):
    for path in NOT_COVERED:
        for other in (None, 1, True, {"dpv:hasConsentStatus": "dpv:ConsentGiven"}, ["Example Ltd"]):
            receipt = checked.altered()
            put(receipt, path, other)
            assert not checked.holds(receipt), (path, other)


def test_what_is_not_covered_is_on_the_page_that_says_so():
    page = (SCRIPT.parent / "receipts.md").read_text()
    part = page.partition("## What it does not prove")[2]
    for _, name in NOT_COVERED:
        assert f"`{name}`" in part, name


def test_nothing_can_be_left_out_added_or_exchanged(checked):
    # Two kinds of one thing have no order, and in an object names have none.
    unordered = {("dct:publisher",)}
    for path, container in containers(checked.receipt):
        for other in reshaped(container):
            receipt = checked.altered()
            if path:
                put(receipt, path, other)
            else:
                receipt = other
            if json.dumps(receipt, sort_keys=True) == json.dumps(checked.receipt, sort_keys=True):
                continue
            if checked.holds(receipt):
                lost = set(container) - set(other) if isinstance(container, dict) else set()
                assert path in unordered and {(*path, name) for name in lost} <= NOT_COVERED, (path, other)


def test_the_order_of_names_says_nothing(checked):
    assert checked.holds(json.dumps(checked.receipt, sort_keys=True).encode())
    assert checked.holds(b"\xef\xbb\xbf" + json.dumps(checked.receipt, indent=4).encode())  # as an editor may save it


@pytest.mark.parametrize("name", ["@id", "dct:identifier", "parley:form", "dpv:hasRecordOfActivity", "parley:evidence"])
def test_a_name_that_stands_twice_is_refused(checked, name):
    """One reader takes the first, another the last."""
    for other in ('"x"', json.dumps(checked.receipt[name])):
        text = json.dumps(checked.receipt)
        for twice in (f'{{"{name}": {other}, {text[1:]}', f'{text[:-1]}, "{name}": {other}}}'):
            assert not checked.holds(twice.encode())


# --- Everything made to fit -----------------------------------------------------------


class TestEvents:
    def test_the_middle_one_is_cut_out_with_all_its_words(self, checked):
        receipt = checked.altered()
        key = receipt["parley:evidence"]["events"][0]["event"]["key"]
        del receipt["parley:evidence"]["events"][1]
        receipt["dct:identifier"] = key
        rewritten(receipt)
        assert not checked.holds(receipt)

    def test_they_change_places(self, checked):
        receipt = checked.altered()
        for listed in (receipt["parley:evidence"]["events"], receipt["dpv:hasRecordOfActivity"]["dpv:hasProcess"]):
            listed[0], listed[1] = listed[1], listed[0]
        assert not checked.holds(receipt)

    def test_proofs_change_places(self, checked):
        receipt = checked.altered()
        first, second, _ = receipt["parley:evidence"]["events"]
        first["event"], second["event"] = second["event"], first["event"]
        assert not checked.holds(receipt)
        receipt = checked.altered()
        first, second, _ = receipt["parley:evidence"]["events"]
        for name in ("position", "path"):
            first[name], second[name] = second[name], first[name]
        assert not checked.holds(receipt)

    def test_somebody_elses_answer_under_ones_own_name(self, checked):
        """Bob's event is in the same tree; the words are made to fit."""
        theirs = receipts.receipt_of(latest_of(bob()))
        assert checked.holds(theirs)
        receipt = checked.altered()
        receipt["parley:evidence"]["events"][0] = theirs["parley:evidence"]["events"][0]
        rewritten(receipt)
        assert not checked.holds(receipt)

    def test_an_answer_turned_round_with_all_its_words(self, checked):
        receipt = checked.altered()
        receipt["parley:evidence"]["events"][1]["event"]["act"] = "training_denied"
        rewritten(receipt)
        assert not checked.holds(receipt)

    def test_other_terms_with_all_their_words(self, checked):
        receipt = checked.altered()
        receipt["parley:evidence"]["terms"]["retention"]["training_years"] = 1
        rewritten(receipt)
        assert not checked.holds(receipt)

    def test_an_act_that_nobody_chooses(self, checked):
        receipt = checked.altered()
        receipt["parley:evidence"]["events"][1]["event"]["act"] = "notice_shown"
        assert not checked.holds(receipt)


class TestLimits:
    """What docs/receipts.md says that a receipt does not prove: if one of these is found one day, say so there."""

    def test_the_first_or_the_last_answer_of_an_act_can_be_left_out(self, checked):
        for number in (0, -1):
            receipt = checked.altered()
            del receipt["parley:evidence"]["events"][number]
            assert not checked.holds(receipt)
            rewritten(receipt)
            assert checked.holds(receipt)

    def test_the_address_of_the_product_can_be_replaced_everywhere(self, checked):
        receipt = checked.altered()
        for name in ("@id", "dct:identifier"):
            receipt["dct:publisher"][name] = "https://elsewhere.example/"
        assert not checked.holds(receipt)
        rewritten(receipt)
        assert checked.holds(receipt)


class TestHeads:
    def test_another_head_of_the_same_ledger(self, checked, client, tmp_path):
        """The proof leads to its own root only."""
        decided(bob(), Training.ALLOW)
        tree.build()
        receipt = checked.altered()
        newer = receipts.receipt_of(latest_of(bob()))["parley:evidence"]["head"]
        receipt["parley:evidence"]["head"] = newer
        receipt["dct:created"] = newer["at"]
        assert not checked.holds(receipt)

    def test_another_key_signs_what_fits(self, checked, client, tmp_path):
        """Whoever makes a ledger of their own can make receipts of it: only kept keys tell."""
        forged = signed_by_a_stranger(checked.altered())
        assert checked.holds(forged)
        checked.keys_file = kept_keys(client, tmp_path)
        assert checked.holds(checked.receipt) and not checked.holds(forged)
        assert "not so: its keys are those that were kept" in by_command(checked.file, checked.keys_file)[1]

    def test_a_stranger_signs_under_a_known_key(self, checked):
        receipt = signed_by_a_stranger(checked.altered())
        receipt["parley:evidence"]["keys"] = checked.receipt["parley:evidence"]["keys"]
        assert not checked.holds(receipt)

    def test_a_replaced_key_signs_nothing_any_more(self, client, settings, tmp_path):
        """Whoever finds the old secret later: the receipt shows the successor, or else the kept keys do."""
        own_secrets(settings, tmp_path)
        event = allowed(client)
        tree.build()
        stolen, old_keys = keys.signing_key(), receipts.receipt_of(event)["parley:evidence"]["keys"]
        replaced_key(settings)
        decided(bob(), Training.DENY)
        checked = Checked(kept(client, event, tmp_path))
        receipt = checked.altered()
        signed(receipt, stolen)
        assert not checked.holds(receipt)
        receipt["parley:evidence"]["keys"] = old_keys
        assert checked.holds(receipt)
        checked.keys_file = kept_keys(client, tmp_path)
        assert not checked.holds(receipt)
        assert "while that was in use" in by_script(checked.file, checked.keys_file)[1]

    def test_keys_that_do_not_vouch_for_each_other(self, checked):
        receipt = checked.altered()
        stranger = heads.public_of(keys.private("a stranger's"))
        receipt["parley:evidence"]["keys"][0] = {"key": heads.key_id(stranger), "public": stranger}
        receipt["parley:evidence"]["keys"][1]["vouched_by"] = heads.key_id(stranger)
        assert not checked.holds(receipt)

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": []}', '{"keys": [1]}', '{"keys": {}}', "\0"])
    def test_a_file_without_keys(self, checked, tmp_path, text):
        checked.keys_file = tmp_path / "none"
        checked.keys_file.write_text(text)
        assert not checked.holds(checked.receipt)
        said = by_command(checked.file, checked.keys_file)
        assert said == by_script(checked.file, checked.keys_file) and said[1].count("\n") == 0
