"""The restore guard in the processes that `up` starts: a deletion reaches the log by itself, and an older cluster that
is put back in its place learns of it before anybody can read.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.running import Up, free_port, wait_for
from tests.visitor import answers, ask, choose, sign_up

pytestmark = pytest.mark.browser


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Up]]:
    """Start `up` on one data folder and port; whatever still runs is stopped."""
    port, started = free_port(), list[Up]()

    def begin() -> Up:
        up = Up(tmp_path / "var", tmp_path / f"output{len(started)}", port=port, MODEL_PROVIDER="scripted")
        started.append(up)
        up.ready()
        return up

    try:
        yield begin
    finally:
        for up in started:
            up.stop()


def test_an_older_cluster_learns_what_was_deleted_before_anybody_reads(
    browser: Browser, start: Callable[[], Up], tmp_path: Path
):
    up = start()
    cluster, log, kept = up.data / "postgres", up.data / "guard" / "log.jsonl", tmp_path / "kept"
    page = browser.new_context(base_url=f"http://127.0.0.1:{up.port}").new_page()
    sign_up(page)
    choose(page, "Allow")
    ask(page, "Something to delete")
    expect(answers(page).first).to_have_attribute("data-state", "complete")
    address, key = page.url, page.url.rstrip("/").rsplit("/", 1)[-1]
    up.stop()
    subprocess.run(["cp", "-a", str(cluster), str(kept)], check=True)

    up = start()
    page.goto(address)
    page.get_by_role("button", name="Delete the conversation").click()
    wait_for(lambda: log.exists() and key in log.read_text(), 30)
    assert "knows everything" in up.manage("replay_erasures")
    up.stop()
    shutil.rmtree(cluster)
    subprocess.run(["cp", "-a", str(kept), str(cluster)], check=True)

    up = start()
    assert "1 chats that people deleted" in (up.data / "logs" / "prepare.log").read_text()
    gone = page.goto(address)
    assert gone and gone.status == 404
    assert "No drift" in up.manage("check_tags")
