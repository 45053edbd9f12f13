"""What somebody changed in a certificate of deletion is found by a program that uses nothing of Parley."""

import copy
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from privacy import certificates, erasure, leaving, sweep
from privacy.models import AccountCertificate
from privacy.vocabulary import Training
from tests.forging import alterations, leaves, put
from tests.people import bob
from tests.receipts import kept_keys, own_secrets, replaced_key
from tests.scenes import answered, decided
from tests.test_certificates import purged, sealed

SCRIPT = Path(__file__).resolve().parent.parent / "docs" / "verify_certificate.py"
# What nothing in the file proves: who issued it, and of a chat what it says of each store (docs/certificates.md).
ISSUERS_WORD = {"chat": {"made_by", "stores", "beyond_reach", "purged_at"}, "account": set()}


@pytest.fixture
def documents(committed, settings, tmp_path, move_clock) -> dict[str, Any]:
    """One of a chat that was purged with others, and one of an account; two keys."""
    own_secrets(settings, tmp_path)
    keys = purged(move_clock, 5)
    answered_by_bob()
    leaving.leave(user=bob())
    assert erasure.erase(bob().pk)
    sealed()
    replaced_key(settings)
    sealed()
    account = AccountCertificate.objects.get().key
    return {"chat": document(keys[2]), "account": document(account)}


def answered_by_bob() -> None:
    decided(bob(), Training.DENY)
    answered(bob())
    sweep.sweep()


def document(key: Any) -> Any:
    found = certificates.find(key)
    assert found and found.document
    return json.loads(json.dumps(found.document))


@pytest.fixture
def check(tmp_path):
    """Whether the program finds that a document holds, by its own words; beside kept keys if there are any."""
    spec = importlib.util.spec_from_file_location("verify_certificate", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def holds(said: Any, keys: str = "") -> bool:
        file = tmp_path / "certificate.json"
        file.write_text(json.dumps(said))
        try:
            module.check(str(file), keys, [])
        except Exception:
            return False
        return True

    return holds


@pytest.mark.parametrize("kind", ["chat", "account"])
def test_it_holds_and_whatever_is_changed_in_it_is_found(documents, check, kind):
    said, passed = documents[kind], set()
    assert check(said)
    for path, value in leaves(said):
        for other in alterations(value):
            if json.dumps(other) != json.dumps(value) and check(put(copy.deepcopy(said), path, other)):
                passed.add(path[0])
    assert passed <= ISSUERS_WORD[kind]
    earlier = {**said, "purged_at": "2020-01-01T00:00:00Z"}
    assert not check(earlier)


def test_another_chats_proof_proves_nothing(documents, check):
    said = documents["chat"]
    lied = json.loads(json.dumps(said).replace(said["of"]["key"], "00000000-0000-4000-8000-000000000000"))
    assert not check(lied)


def test_kept_keys_tell_whose_it_is(documents, check, client, tmp_path):
    kept = kept_keys(client, tmp_path)
    assert check(documents["chat"], str(kept))
    stranger = json.loads(kept.read_text())
    stranger["keys"][0]["public"] = "A" * 43 + "="
    other = tmp_path / "other.json"
    other.write_text(json.dumps(stranger))
    assert not check(documents["chat"], str(other))


def test_it_is_a_program(documents, tmp_path):
    file = tmp_path / "one.json"
    file.write_text(json.dumps(documents["chat"]))
    done = subprocess.run([sys.executable, "-I", str(SCRIPT), str(file)], capture_output=True, text=True)
    assert done.returncode == 0 and "The certificate holds, if its keys are that ledger's." in done.stdout
    file.write_text(json.dumps({**documents["chat"], "form": "another"}))
    done = subprocess.run([sys.executable, "-I", str(SCRIPT), str(file)], capture_output=True, text=True)
    assert done.returncode == 1 and "of the form that this program knows" in done.stderr
