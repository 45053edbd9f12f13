"""No character is lost when a process is killed in the middle of an answer, and a deleted word is gone for good.

The real server, workers and engines, with the scripted provider, so that every character of the answer is known.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.running import Up, wait_for
from tests.visitor import PASSWORD, answers, ask, choose, sign_up

pytestmark = pytest.mark.browser
WORDS = [f"word{number}" for number in range(1, 301)]
QUESTION = "Count for me.\n/script " + json.dumps({"words": 300, "delay": 0.03})


@pytest.fixture(scope="module")
def up(tmp_path_factory) -> Iterator[Up]:
    folder: Path = tmp_path_factory.mktemp("survival")
    (folder / "clock").write_text("0")
    up = Up(
        folder / "var",
        folder / "output",
        MODEL_PROVIDER="scripted",
        MODEL_CONTINUES="1",
        CLOCK_FILE=str(folder / "clock"),
    )
    try:
        up.ready()
        yield up
    finally:
        up.stop()


@pytest.fixture(scope="module")
def person(browser: Browser, up: Up) -> Iterator[Page]:
    """Somebody who signed up and chose."""
    page = browser.new_context(base_url=f"http://127.0.0.1:{up.port}").new_page()
    sign_up(page)
    choose(page)
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    yield page
    page.context.close()


def ask_anew(page: Page, text: str) -> None:
    page.goto("/chat/")
    ask(page, text)


def body(page: Page) -> str:
    return answers(page).locator("[data-body]").first.inner_text()


def kill(up: Up, name: str) -> None:
    """Kill one process of the product, as the kernel would for want of memory."""
    before = up.recorded()[name]
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: up.recorded().get(name) not in (None, before), 30)


@pytest.mark.parametrize("victim", ["web", "generation", "background", "valkey"])
def test_killing_a_process_in_the_middle_of_an_answer_loses_no_character(person: Page, up: Up, victim: str):
    ask_anew(person, QUESTION)
    answer = answers(person).first
    expect(answer.locator("[data-body]")).to_contain_text("word20", timeout=30_000)
    second = person.context.new_page()
    second.goto(person.url)
    expect(answers(second).locator("[data-body]").first).to_contain_text("word20")
    kill(up, victim)
    for tab in (person, second):
        expect(answers(tab).first).to_have_attribute("data-state", "complete", timeout=90_000)
        assert body(tab).split() == WORDS
    person.reload()
    assert body(person).split() == WORDS
    second.close()


def test_what_cannot_be_continued_is_kept_and_can_be_gone_on_with(person: Page, up: Up):
    """A stop in the middle, then Continue: the text joins without a gap or repeat."""
    ask_anew(person, QUESTION)
    answer = answers(person).first
    expect(answer.locator("[data-body]")).to_contain_text("word20", timeout=30_000)
    person.get_by_role("button", name="Stop").click()
    expect(answer).to_have_attribute("data-state", "stopped")
    person.get_by_role("button", name="Continue").click()
    expect(answer).to_have_attribute("data-state", "complete", timeout=60_000)
    assert body(person).split() == WORDS


def grep(folder: Path, word: str) -> list[str]:
    found = subprocess.run(["grep", "-rla", word, str(folder)], capture_output=True, text=True)
    return [line for line in found.stdout.splitlines() if "/pg_wal/" not in line]


def test_a_deleted_word_is_found_nowhere(person: Page, up: Up):
    """Gone from list and address at once, from tables, journals and logs after the sweep; so is what was said of it."""
    canary = "xanthic" + os.urandom(8).hex()
    ask_anew(person, f"Remember {canary}.\n/script " + json.dumps({"pieces": [canary, " is kept in mind."]}))
    answer = answers(person).first
    expect(answer).to_have_attribute("data-state", "complete")
    expect(answer.locator("[data-body].as-written")).to_have_count(0)  # rendered
    address = person.url
    answer.get_by_role("button", name="Bad answer").click()
    person.get_by_role("textbox", name="What was good").fill(f"{canary} is no word")
    person.get_by_role("button", name="Save").click()
    expect(person.get_by_role("status").locator(".toast", has_text="Noted.")).to_be_visible()
    said_in_a_review(person, up, canary)
    addresses = json.loads((up.data / "run/owner.json").read_text())
    with psycopg.connect(addresses["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("CHECKPOINT")
        assert grep(up.data, canary), "the canary was never on disk: this test would prove nothing"
        person.get_by_role("button", name="Delete the conversation").click()
        expect(person).to_have_url(re.compile(r"/chat/(\?.*)?$"))
        gone = person.goto(address)
        assert gone and gone.status == 404
        (up.data.parent / "clock").write_text(str(timedelta(hours=25).total_seconds()))
        try:
            # Within a minute beat starts the sweep by itself, and what it purged is overwritten.
            rows = "SELECT count(*) FROM chat_message WHERE text LIKE %s"
            wait_for(lambda: owner.execute(rows, [f"%{canary}%"]).fetchone() == (0,), 100)
            wait_for(lambda: _written_out(owner) and grep(up.data, canary) == [], 30)
        finally:
            (up.data.parent / "clock").write_text("0")


REVIEW = """
from accounts.models import User
from chat.models import Conversation
from privacy import appeals, flagging
from privacy.models import Flag
stella, flag = User.objects.get(email="stella@example.org"), Flag.objects.filter(key="{key}").first()
if flag is None:
    chat = Conversation.objects.get(public_id="{key}")
    flagging.flag(chat, reason="For {canary}", told="You wrote {canary}.", by=stella, readers=[stella])
else:
    appeals.uphold(flag.appeal, told="No, {canary}.", by=stella)
    flagging.unflag(flag, reason="It was only {canary}", by=stella)
"""


def said_in_a_review(person: Page, up: Up, canary: str) -> None:
    """The conversation that is open was under review: staff, its author and staff again said the word."""
    address = person.url
    variables = {"DJANGO_SUPERUSER_EMAIL": "stella@example.org", "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    up.manage("createsuperuser", "--noinput", **variables)
    act = REVIEW.format(key=address.rstrip("/").rsplit("/", 1)[-1], canary=canary)
    up.manage("shell", "--command", act)
    person.get_by_role("link", name="Why, and how to appeal").click()
    person.get_by_role("textbox").fill(f"{canary} is nothing bad")
    person.get_by_role("button", name="Send the appeal").click()
    expect(person.get_by_text("It waits for an answer.")).to_be_visible()
    up.manage("shell", "--command", act)
    person.reload()
    expect(person.get_by_text(f"No, {canary}.")).to_be_visible()
    person.goto(address)


def _written_out(owner: "psycopg.Connection[Any]") -> bool:
    """What is deleted in memory reaches the data files with a checkpoint."""
    owner.execute("CHECKPOINT")
    return True
