"""The restore guard in the processes that `up` starts: a deletion reaches the log by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.running import Up, wait_for
from tests.visitor import answers, ask, choose, sign_up

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def up(tmp_path_factory) -> Iterator[Up]:
    folder: Path = tmp_path_factory.mktemp("guard")
    up = Up(folder / "var", folder / "output", MODEL_PROVIDER="scripted")
    try:
        up.ready()
        yield up
    finally:
        up.stop()


def test_a_deletion_is_in_the_log_at_once_and_the_database_knows_everything(browser: Browser, up: Up):
    page = browser.new_context(base_url=f"http://127.0.0.1:{up.port}").new_page()
    sign_up(page)
    choose(page)
    ask(page, "Something to delete")
    expect(answers(page).first).to_have_attribute("data-state", "complete")
    key, log = page.url.rstrip("/").rsplit("/", 1)[-1], up.data / "guard" / "log.jsonl"
    wait_for(log.exists, 10)
    assert key not in log.read_text()
    page.get_by_role("button", name="Delete the conversation").click()
    wait_for(lambda: key in log.read_text(), 30)
    assert "knows everything" in up.manage("replay_erasures")
