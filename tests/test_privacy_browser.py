"""The privacy page in real browsers: one effect on every device, two answers of one size, also without scripts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.running import Up
from tests.visitor import PASSWORD, ask, choose, no_violations, sign_up

pytestmark = pytest.mark.browser
WIDTHS = [320, 390, 820, 1440]
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
SIZES = "[...document.querySelectorAll('.answer')].map((card) => card.getBoundingClientRect().toJSON())"
LOOKS = """[...document.querySelectorAll('.answer')].map((card) =>
    [...card.querySelectorAll('.title span:not(.chip), .sentence, .new')]
        .filter((part) => part.checkVisibility())
        .map((part) => getComputedStyle(part))
        .map((look) => [look.color, look.fontSize, look.fontWeight, look.opacity].join()))"""


@pytest.fixture(scope="module")
def parley(tmp_path_factory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("parley")
    up = Up(folder / "var", folder / "output", MODEL_PROVIDER="scripted")
    try:
        up.ready()
        yield f"http://127.0.0.1:{up.port}"
    finally:
        up.stop()


@pytest.fixture
def devices(browser: Browser, parley: str) -> Iterator[Any]:
    """Makes contexts that share nothing, and closes them; a script's error fails the test."""
    opened: list[BrowserContext] = []
    wrong: list[str] = []

    def device(**more: Any) -> Page:
        opened.append(browser.new_context(**{"base_url": parley, "reduced_motion": "reduce"} | more))
        page = opened[-1].new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
        return page

    yield device
    for context in opened:
        context.close()
    assert wrong == []


def sign_in(page: Page, email: str) -> None:
    page.goto("/account/login/")
    page.locator("[name=login]").fill(email)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button").click()
    page.wait_for_url(re.compile("/chat/"))


def own_address(page: Page) -> str:
    page.goto("/account/email/")
    found = re.search(r"person\d+@example\.org", page.content())
    assert found
    return found[0]


def save(page: Page, answer: str) -> None:
    page.get_by_role("radio", name=answer, exact=True).check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast", has_text="You chose")).to_be_visible()


def test_an_answer_holds_at_once_in_every_tab_and_on_every_device(devices):
    here = devices()
    sign_up(here)
    choose(here, "Allow")
    ask(here, "Say hello.")
    expect(here.locator("[data-role=assistant][data-message]").first).to_have_attribute("data-state", "complete")
    chat, email = here.url, own_address(here)
    here.goto("/privacy/")
    tab, elsewhere = here.context.new_page(), devices()
    tab.goto("/privacy/")
    sign_in(elsewhere, email)
    elsewhere.goto("/privacy/")
    why, listed = elsewhere.context.new_page(), elsewhere.context.new_page()
    why.goto(f"{chat}why")
    listed.goto("/privacy/chats/")
    others = (tab, elsewhere)
    for page in others:
        expect(
            page.get_by_text("Personal chats that you begin may be used to train models.", exact=False)
        ).to_be_visible()
    expect(why.get_by_text("May it train models?")).to_be_visible()
    elsewhere.get_by_role("radio", name="Don't allow", exact=True).focus()

    save(here, "Don't allow")
    expect(here.locator(".toast")).to_have_count(1)
    for page in others:
        expect(page.get_by_role("radio", name="Don't allow", exact=True)).to_be_checked()
        expect(page.locator("#applies")).to_contain_text("Your personal chats are not used to train models.")
        expect(page.locator(".toast", has_text="in another tab or on another device")).to_be_visible()
    expect(elsewhere.locator("#change-title")).to_be_focused()
    for page in (why, listed):
        expect(page.get_by_text("not used for training").first).to_be_visible()
    # What came in its place is whole: an answer there is taken.
    save(elsewhere, "Allow")
    expect(here.get_by_role("radio", name="Allow", exact=True)).to_be_checked()


def test_whoever_is_choosing_is_not_disturbed_by_a_chat_that_comes_or_goes(devices):
    here = devices()
    sign_up(here)
    choose(here)
    ask(here, "Say hello.")
    expect(here.locator("[data-role=assistant][data-message]").first).to_have_attribute("data-state", "complete")
    page = here.context.new_page()
    page.goto("/privacy/")
    expect(page.get_by_role("link", name="Standard: 1 chat")).to_be_visible()
    page.get_by_role("radio", name="Allow", exact=True).check()
    page.get_by_role("checkbox", name="Keep my history").check()
    here.get_by_role("button", name="Delete the conversation").click()
    expect(page.get_by_text("You have no chats.")).to_be_visible()
    expect(page.get_by_role("radio", name="Allow", exact=True)).to_be_checked()
    expect(page.get_by_role("checkbox", name="Keep my history")).to_be_checked()
    expect(page.locator(".toast")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_answers_are_of_one_size_at_every_width(devices, scheme):
    page = devices(color_scheme=scheme, reduced_motion="reduce")
    sign_up(page)
    choose(page, "Allow")
    ask(page, "Say hello.")
    expect(page.locator("[data-role=assistant][data-message]").first).to_have_attribute("data-state", "complete")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        for address in ("/privacy/", "/privacy/chats/", "/privacy/history/"):
            page.goto(address)
            no_violations(page)
            assert page.evaluate(FITS), address
        page.goto("/privacy/")
        history = page.get_by_role("checkbox", name="Keep my history")
        for kept in (False, True):
            history.set_checked(kept)
            one, other = page.evaluate(SIZES)
            assert abs(one["width"] - other["width"]) < 1 and abs(one["height"] - other["height"]) < 1, width
            assert (one["top"] == other["top"]) != (one["left"] == other["left"])  # one row or one column
            one, other = page.evaluate(LOOKS)
            assert one == other and len(one) == 3
            expect(page.locator(".with-history").first).to_be_visible(visible=kept)
            expect(page.locator(".without-history").first).to_be_visible(visible=not kept)


def test_it_works_without_javascript(devices):
    page = devices(java_script_enabled=False)
    sign_up(page)
    choose(page)
    page.goto("/privacy/")
    expect(page.locator(".without-history").first).to_be_visible()
    page.get_by_role("checkbox", name="Keep my history").check()
    expect(page.locator(".with-history").first).to_be_visible()
    expect(page.locator(".without-history").first).to_be_hidden()
    save(page, "Allow")
    expect(page.locator("#applies")).to_contain_text("Your history is kept until you delete from it.")
    page.get_by_role("checkbox", name="Keep my history").uncheck()
    save(page, "Don't allow")
    expect(page.locator("#applies")).to_contain_text("Your personal chats are not used to train models.")


def test_a_browser_that_asks_the_opposite_is_asked_once_more_and_shown_as_such(devices):
    page = devices(extra_http_headers={"Sec-GPC": "1"})
    sign_up(page)
    choose(page)
    page.goto("/privacy/")
    expect(page.locator("#applies")).to_contain_text("This agrees with your answer")
    page.get_by_role("radio", name="Allow", exact=True).check()
    page.get_by_role("button", name="Save").click()
    no_violations(page)
    page.get_by_role("button", name="Allow all the same").click()
    expect(page.locator("#applies")).to_contain_text("although your browser asked the opposite. Your answer holds.")
    no_violations(page)
