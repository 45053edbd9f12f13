"""Whatever happens in whatever order, product and rules agree (tests/machine.py).

Here a short form. By hand, for as long as one likes:

    MACHINE_HOUSES=200 MACHINE_STEPS=50 uv run pytest -n 0 tests/test_machine.py

`MACHINE_SHRINK=0` leaves what is found as long as it is.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as how
from hypothesis.stateful import run_state_machine_as_test

from privacy import retagging
from tests.machine import SET_AHEAD, Days

HOUSES, STEPS = int(os.environ.get("MACHINE_HOUSES", "4")), int(os.environ.get("MACHINE_STEPS", "40"))
PHASES = [Phase.generate, Phase.shrink] if os.environ.get("MACHINE_SHRINK", "1") == "1" else [Phase.generate]


@pytest.fixture
def days(committed, settings, tmp_path, move_clock, monkeypatch):
    """Re-tags and sweeps in small pieces, and no alarm for so few chats."""
    settings.RETAG_AT_ONCE, settings.SWEEP_LIMIT_COUNT, settings.SWEEP_LARGEST_GAP_DAYS = 4, 10_000, 100_000
    monkeypatch.setattr(retagging, "CHUNK", 2)
    move_clock(seconds=SET_AHEAD.total_seconds())
    monkeypatch.setattr(Days, "folder", tmp_path, raising=False)
    monkeypatch.setattr(Days, "settings_", settings, raising=False)
    return Days


def test_whatever_happens_in_whatever_order(days):
    by_hand = "MACHINE_HOUSES" in os.environ
    run_state_machine_as_test(
        days,
        settings=how(
            max_examples=HOUSES,
            stateful_step_count=STEPS,
            phases=PHASES,
            derandomize=not by_hand,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
