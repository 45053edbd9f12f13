"""Files that are no receipts get one clear sentence from both programs that check one; and the files of the docs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from privacy.evidence import checking, keys, wording
from tests.forging import Checked, containers, signed, signed_by_a_stranger
from tests.receipts import SCRIPT, by_command, by_script, denied, kept, withdrawn

HALF = rb'{"parley:form": 1, "parley:evidence": {"terms": "\ud800", "events": [], "head": 1, "keys": [1]}}'
BAD_FILES = {
    "empty": b"",
    "a number": b"1",
    "null": b"null",
    "a list": b"[]",
    "an object": b"{}",
    "a page": b"<!doctype html><title>Receipt</title>",
    "binary": bytes(range(256)) * 40,
    "not UTF-8": b'{"parley:form": 1, "@id": "\xff"}',
    "UTF-16": '{"parley:form": 1}'.encode("utf-16"),
    "nested deeply": b"[" * 200_000 + b"]" * 200_000,
    "objects nested deeply": b'{"parley:evidence":' * 100_000,
    "a long number": b'{"parley:form": ' + b"9" * 100_000 + b"}",
    "a fraction": b'{"parley:form": 1.0}',
    "no number": b'{"parley:form": NaN}',
    "another form": b'{"parley:form": 2}',
    "only a form": b'{"parley:form": 1}',
    "evidence of another kind": b'{"parley:form": 1, "parley:evidence": []}',
    "half a character": HALF,
    "too large": b" " * (4 * 1024 * 1024) + b"{}",
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_no_receipt_gets_one_clear_sentence(tmp_path, content):
    file = tmp_path / "file"
    file.write_bytes(content)
    refused = by_command(file)
    assert refused == by_script(file)
    assert refused[0] == 1 and refused[1].count("\n") == 0
    assert refused[1].startswith("The receipt does not hold. This is not so: ") and len(refused[1]) < 200


def test_a_file_that_is_not_there(tmp_path):
    for file in (tmp_path / "none", tmp_path):
        assert by_command(file) == by_script(file) and by_command(file)[0] == 1


@pytest.mark.django_db
def test_a_receipt_that_was_cut_off(client, tmp_path):
    """By a full disk, at any byte."""
    checked = Checked(kept(client, denied(client), tmp_path))
    whole = checked.file.read_bytes()
    for end in range(0, len(whole), max(1, len(whole) // 97)):
        assert not checked.holds(whole[:end])
    assert checked.holds(whole)


@pytest.mark.django_db
def test_what_somebody_made_up_cannot_write_to_the_terminal(client, tmp_path):
    receipt = signed_by_a_stranger(json.loads(kept(client, withdrawn(client), tmp_path).read_bytes()))
    receipt["parley:evidence"]["head"]["origin"] = "\x1b[2Jgood.example"
    signed(receipt, keys.private("a stranger's"))
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(receipt))
    assert by_command(file) == by_script(file)
    assert by_command(file)[0] == 0 and "\x1b" not in by_command(file)[1]


def test_the_script_says_how_it_is_called():
    done = subprocess.run([sys.executable, "-I", str(SCRIPT)], env={}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "as its first line says" in done.stderr


# --- The documentation ------------------------------------------------------------------

DOCS = SCRIPT.parent
EXAMPLE = DOCS / "receipt-example.json"


def test_the_example_holds():
    said = by_command(EXAMPLE, DOCS / "receipt-example-keys.json")
    assert said == by_script(EXAMPLE, DOCS / "receipt-example-keys.json")
    assert said[0] == 0 and said[1].endswith("Training models: dpv:ConsentRefused.")


def test_every_field_of_the_example_is_explained():
    page = (DOCS / "receipts.md").read_text().partition("## What is in it")[2].partition("## What it does not prove")[0]
    receipt = json.loads(EXAMPLE.read_bytes())
    names = {
        name
        for path, value in containers(receipt)
        if isinstance(value, dict) and path != ("@context",)
        for name in value
    }
    within = {
        name for path, value in containers(receipt["parley:evidence"]["terms"]["texts"]) for name in value if path
    }
    within |= set(receipt["@context"]) | set(receipt["parley:evidence"]["terms"]["retention"])
    within |= set(receipt["parley:evidence"]["events"][0]["event"]["context"])  # explained in docs/ledger.md
    assert [name for name in sorted(names - within) if f"`{name}`" not in page] == []


def test_every_act_and_claim_is_explained():
    page = (DOCS / "receipts.md").read_text()
    for act, (question, status) in wording.ANSWERS.items():
        assert f"`{act}`" in page and f"`{status}`" in page and f"`{question[0]}`" in page, act
    product, alone = [
        re.findall(r'so\.append\("(.+)"\)', file.read_text()) for file in (Path(checking.__file__), SCRIPT)
    ]
    assert product == alone and len(alone) == 11
    # The first three say what kind of file it is.
    assert [claim for claim in alone[3:] if f"| {claim} |" not in page] == []
