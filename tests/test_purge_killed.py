"""Any process is killed at any moment of a large purge: no conversation is half gone, and in the end exactly those are
gone that had to, everywhere. Real processes of `up`.

Here a short form. By hand, as it was asked for:

    PURGE_KILLS=30 PURGE_CONVERSATIONS=20000 uv run pytest -n 0 tests/test_purge_killed.py
"""

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg.rows import dict_row

from tests.purging import STAY
from tests.running import Up, clock_and_pool, wait_for

pytestmark = pytest.mark.xdist_group("up")

KILLS, NUMBER = int(os.environ.get("PURGE_KILLS", "6")), int(os.environ.get("PURGE_CONVERSATIONS", "9000"))
TARGETS = ("background", "postgres", "session", "valkey", "purger", "beat")
FOUND = """
SELECT (SELECT count(*) FROM chat_conversation) AS conversations,
    (SELECT count(*) FROM privacy_tombstone) AS tombstones,
    (SELECT count(DISTINCT key) FROM privacy_tombstone) AS keys,
    (SELECT coalesce(sum((detail ->> 'count')::int), 0) FROM privacy_event WHERE act = 'purged') AS told,
    (SELECT count(*) FROM privacy_outbox) AS waiting,
    (SELECT count(*) FROM chat_conversation WHERE public_id IN (SELECT key FROM privacy_tombstone)) AS both,
    (SELECT count(*) FROM chat_message AS message LEFT JOIN chat_conversation AS one ON one.id = message.conversation_id
        WHERE one.id IS NULL) AS orphans,
    (SELECT count(*) FROM chat_conversation AS one
        WHERE (SELECT count(*) FROM chat_message AS message WHERE message.conversation_id = one.id) <> 2) AS half
"""
LIMIT, GAP_DAYS = "1000000", "100000"


class House:
    """An `up`, and who of it is killed."""

    def __init__(self, folder: Path) -> None:
        self.up = Up(folder / "var", folder / "output", SWEEP_LIMIT_COUNT=LIMIT, SWEEP_LARGEST_GAP_DAYS=GAP_DAYS)
        self.up.ready()
        self.shell = ThreadPoolExecutor(1)
        owner: dict[str, str] = json.loads((self.up.data / "run/owner.json").read_text())
        self.url = owner["DATABASE_OWNER_URL"]

    def found(self) -> dict[str, int]:
        """What there is at one moment; nothing while the database is away."""
        try:
            with psycopg.connect(self.url, connect_timeout=5, row_factory=dict_row) as session:
                return dict(session.execute(FOUND).fetchone() or {})
        except psycopg.Error:
            return {}

    def gone(self) -> int:
        """How many are buried; none that one knows of while the database is away."""
        try:
            with psycopg.connect(self.url, connect_timeout=5) as session:
                (count,) = session.execute("SELECT count(*) FROM privacy_tombstone").fetchone() or (0,)
                return int(count)
        except psycopg.Error:
            return 0

    def go_on(self) -> "Future[str]":
        """Sweeps come into the queue, so that whoever comes back has one to do at once; begun, and not waited for."""
        return self.shell.submit(self.up.run, "-m", "tests.purging", "sweep")

    def kill(self, target: str, chance: random.Random) -> bool:
        """Kill -9; whether there was such a process."""
        try:
            chance.choice(self._processes(target)).kill()
        except (IndexError, psutil.Error):
            return False
        return True

    def _processes(self, target: str) -> list[psutil.Process]:
        children = self.up.recorded()
        if target in children:
            return [psutil.Process(children[target])]
        if target == "session":
            return psutil.Process(children["postgres"]).children()
        clock, *pool = clock_and_pool(psutil.Process(children["background"]))
        return [clock] if target == "beat" else pool


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    one = House(tmp_path)
    yield one
    if one.up.process.poll() is None:
        one.up.stop()


def whole(found: dict[str, int]) -> None:
    assert (found["half"], found["orphans"], found["both"]) == (0, 0, 0), found
    gone = NUMBER + STAY - found["conversations"]
    assert found["tombstones"] == found["keys"] == found["told"] == gone, found


def test_killed_at_any_moment_of_a_purge(house: House) -> None:
    seed = random.Random().randrange(2**32)
    chance, killed, gone = random.Random(seed), [], 0
    house.up.run("-m", "tests.purging", "load", str(NUMBER), within=300)
    house.go_on()
    for kill in range(KILLS):
        enough = min(gone + chance.randrange(1, 300), NUMBER)
        quickly(lambda more=enough: house.gone() >= more, house)  # type: ignore[misc]
        target = TARGETS[kill % len(TARGETS)]
        if house.kill(target, chance) and gone < NUMBER:
            killed.append(target)
        wait_for(lambda: bool(house.found()), 60)
        found = house.found()
        whole(found)
        gone = found["tombstones"]
        print(f"{target}: {gone} gone")
        if target == "valkey":  # and all that waited in it
            wait_for(lambda: house.up.health().get("ready") is True, 60, house.up.health)
            house.go_on()
    print(f"seed {seed}: killed {len(killed)} times in the middle of it")
    assert len(killed) >= KILLS * 0.6, (
        "it was over too early, or nobody was there to be killed: this would prove little"
    )
    wait_for(lambda: house.up.health().get("ready") is True, 60, house.up.health)
    house.go_on().result()
    wait_for(lambda: house.gone() >= NUMBER and house.found()["waiting"] == 0, 300, house.found)
    whole(house.found())
    assert house.found()["conversations"] == STAY
    assert int(house.up.run("-m", "tests.purging", "journals")) <= STAY
    house.up.manage("check_tags")
    house.up.manage("verify_ledger")


def quickly(condition: Callable[[], bool], house: House) -> None:
    """Until it holds, looked at as often as can be: what is to be killed takes a fraction of a second."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, house.up.said
