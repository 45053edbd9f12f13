"""A real browser for tests: Debian's or Playwright's Chromium, and pages that never load anything from elsewhere."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
]


def find() -> str | None:
    """The browser's path: `CHROMIUM`, one on the PATH, or the one that Playwright brought."""
    named = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if named or (named := shutil.which("google-chrome")):
        return named
    with sync_playwright() as playwright:
        brought = playwright.chromium.executable_path
    return brought if Path(brought).exists() else None


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless browser; skips, with the reason, only where none is found, and fails if `REQUIRE_BROWSER` is set."""
    path = find()
    if path is None:
        reason = "no browser found: install Chromium, or name one in CHROMIUM"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
