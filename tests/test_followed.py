"""One person's words, followed from typing them to a sealed training set, and back out of everything: withdrawn,
deleted with a certificate in hand, and not brought back by a backup. The real `up`, a browser, and a trainer.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page, expect

from config.environment import BASE_DIR
from tests.running import Up, free_port, wait_for
from tests.test_survival import grep
from tests.visitor import answers, ask, choose, sign_up

pytestmark = pytest.mark.browser
CARD = "4111 1111 1111 1111"


class House:
    """An `up` that is stopped and started again on one folder, and its training sets."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.starts = folder, free_port(), 0
        (folder / "clock").write_text("0")
        self.up = self.start()

    def start(self) -> Up:
        self.starts += 1
        clock = str(self.folder / "clock")
        output = self.folder / f"output{self.starts}"
        self.up = Up(self.folder / "var", output, port=self.port, MODEL_PROVIDER="scripted", CLOCK_FILE=clock)
        self.up.ready()
        return self.up

    def set(self) -> Path:
        """A new set, sealed and released; its folder."""
        said = self.up.manage("build_training_set", "For a small model")
        folder = Path(re.findall(r"Built: (\S+)", said)[0])
        for act in ("seal_training_set", "release_training_set"):
            self.up.manage(act, folder.name)
        return folder

    def check(self, training_set: Path) -> int:
        """How many a run is told to drop."""
        self.up.manage("check_training_set", str(training_set / "manifest.json"), "--run", "small-1")
        return len(json.loads((training_set / "drop.json").read_text())["drop"])


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    one = House(tmp_path)
    yield one
    if one.up.process.poll() is None:
        one.up.stop()


def text_of(training_set: Path) -> str:
    """All that is said in a set."""
    tables = [pq.read_table(file).to_pylist() for file in training_set.glob("*.parquet")]
    return json.dumps([row for table in tables for row in table], default=str)


def trains(training_set: Path) -> str:
    """What the sample trainer says of it."""
    command = [sys.executable, "docs/train_sample.py", str(training_set)]
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_from_typing_to_a_sealed_set_and_back_out(browser: Browser, house: House, tmp_path: Path) -> None:
    up, canary = house.up, "xanthic" + os.urandom(8).hex()
    page = browser.new_context(base_url=f"http://127.0.0.1:{up.port}").new_page()
    sign_up(page)
    choose(page, "Allow")
    address = f"{canary}@example.org"
    ask(page, f"Write to {address}, my card is {CARD}, and mind the {canary}.")
    expect(answers(page).first).to_have_attribute("data-state", "complete")
    chat = page.url
    key = chat.rstrip("/").rsplit("/", 1)[-1]

    # Allowed: in the set, without the address and the card number.
    first = house.set()
    said = text_of(first)
    assert canary in said and "[EMAIL_1]" in said and "[CARD_1]" in said
    assert address not in said and CARD not in said
    page.goto(f"{chat}why")
    expect(page.get_by_text("It is in 1 training set.")).to_be_visible()
    assert "was not checked" in trains(first)
    assert house.check(first) == 0
    assert "1 conversations to train on, 0 dropped" in trains(first)
    backup = kept(house, tmp_path)

    # Withdrawn: dropped at once, and in no later set.
    withdraw(page)
    assert house.check(first) == 1
    assert "0 conversations to train on, 1 dropped" in trains(first)
    assert canary not in text_of(house.set())

    # Deleted: gone at once, purged within a day, and a certificate says so.
    page.goto(chat)
    page.get_by_role("button", name="Delete the conversation").click()
    expect(page).to_have_url(re.compile(r"/chat/(\?.*)?$"))
    assert status(page, chat) == 404
    (tmp_path / "clock").write_text(str(timedelta(hours=25).total_seconds()))
    house.up.manage("sweep_retention")
    wait_for(lambda: status(page, f"/deleted/{key}.json") == 200, 60)
    certificate = page.request.get(f"/deleted/{key}.json").json()
    assert certificate["of"]["key"] == key and certificate["proof"]["event"]["act"] == "purged"
    wait_for(lambda: outside_sets(house.up, canary) == [], 60, lambda: outside_sets(house.up, canary))

    # A backup of when it was allowed brings nothing back.
    house.up.stop()
    shutil.rmtree(house.up.data / "postgres")
    subprocess.run(["cp", "-a", str(backup), str(house.up.data / "postgres")], check=True)
    house.start()
    assert status(page, chat) == 404
    assert house.check(first) == 1
    assert canary not in text_of(house.set())
    assert "No drift" in house.up.manage("check_tags")


def kept(house: House, folder: Path) -> Path:
    """A backup of the whole cluster as it is now."""
    house.up.stop()
    backup = folder / "backup"
    subprocess.run(["cp", "-a", str(house.up.data / "postgres"), str(backup)], check=True)
    house.start()
    return backup


def withdraw(page: Page) -> None:
    page.goto("/privacy/")
    page.get_by_role("radio", name="Don't allow", exact=True).check()
    page.get_by_role("button", name=re.compile("Save|Continue|Change")).first.click()
    expect(page.get_by_text(re.compile("Don't allow")).first).to_be_visible()


def status(page: Page, url: str) -> int:
    return page.request.get(url).status


def outside_sets(up: Up, word: str) -> list[str]:
    """Where it still is, sets apart: those are released, and their runs are told to drop it."""
    up.manage("shell", "--command", "from django.db import connection; connection.cursor().execute('SELECT 1')")
    return [path for path in grep(up.data, word) if "/training/" not in path]
