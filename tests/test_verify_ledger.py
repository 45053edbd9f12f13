"""Verifying a ledger that nobody changed, whatever goes on meanwhile, and what the command says."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from privacy.evidence import heads, tree, verifying
from privacy.models import Event, LedgerKey, Subject, TreeHead
from privacy.vocabulary import Training
from tests.people import bob, charlie
from tests.scenes import decided
from tests.tampering import events, found, ledgered, tamper


@pytest.fixture
def outside(committed, tmp_path) -> Path:
    return ledgered(tmp_path)


def test_erasing_a_person_leaves_the_evidence_and_the_chain(outside):
    numbers = events(bob())
    Subject.objects.filter(user=bob()).delete()
    assert found(outside) == {}
    assert Event.objects.filter(pk__in=numbers).count() == len(numbers)
    assert not Event.objects.of(bob()).exists()


def test_what_is_recorded_meanwhile_disturbs_nothing(outside, monkeypatch):
    """Whenever a check opens a query, somebody decides and the tree grows."""
    real = verifying.rows

    def meanwhile() -> None:
        decided(charlie(), Training.DENY if Event.objects.of(charlie()).count() % 2 == 0 else Training.ALLOW)
        tree.build()
        connection.close()

    def rows(query: str) -> Iterator[tuple[Any, ...]]:
        other = threading.Thread(target=meanwhile)
        other.start()
        other.join()
        yield from real(query)

    monkeypatch.setattr(verifying, "rows", rows)
    assert found(outside) == {}
    assert TreeHead.objects.count() == 8


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
