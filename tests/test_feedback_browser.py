"""Thumbs as people meet them: under the answer, by keyboard, without JavaScript, in both schemes and at every width."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.running import Up
from tests.visitor import answers, ask, choose, no_violations, sign_up

pytestmark = pytest.mark.browser
QUESTION = "May this one exchange (your question and this answer) be used to train models?"


@pytest.fixture(scope="module")
def up(tmp_path_factory) -> Iterator[Up]:
    folder: Path = tmp_path_factory.mktemp("feedback")
    up = Up(folder / "var", folder / "output", MODEL_PROVIDER="scripted")
    try:
        up.ready()
        yield up
    finally:
        up.stop()


@pytest.fixture
def page(browser: Browser, up: Up) -> Iterator[Page]:
    """Somebody who did not allow training and has been answered."""
    address = f"http://127.0.0.1:{up.port}"
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda made: None if made.url.startswith((address, "blob:")) else wrong.append(made.url))
    sign_up(page)
    choose(page)
    ask(page, "How many legs has a spider?")
    expect(answers(page).first).to_have_attribute("data-state", "complete")
    yield page
    context.close()
    assert wrong == []


def thumb(page: Page, name: str) -> Locator:
    return answers(page).first.get_by_role("button", name=name, exact=True)


def said(page: Page, words: str) -> Locator:
    return page.get_by_role("status").locator(".toast", has_text=words)


def test_a_press_is_stored_at_once_and_asks_about_this_exchange_alone(page: Page):
    up_, down = thumb(page, "Good answer"), thumb(page, "Bad answer")
    assert [one.get_attribute("aria-pressed") for one in (up_, down)] == ["false", "false"]
    up_.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="You found this answer good")).to_be_focused()
    expect(up_).to_have_attribute("aria-pressed", "true")
    form = page.get_by_role("form", name="You found this answer good")
    assert [radio.is_checked() for radio in form.get_by_role("radio").all()] == [False, False]
    yes, no = (box.bounding_box() for box in form.locator(".answer").all())
    assert yes and no and (yes["width"], yes["height"]) == (no["width"], no["height"])
    expect(form.get_by_role("group", name=QUESTION)).to_be_visible()
    expect(form.get_by_text("kept no longer for that").first).to_be_visible()

    page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    expect(up_).to_be_focused()
    page.reload()
    expect(up_).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("This exchange may train models")).to_have_count(0)


def test_saying_yes_changing_the_thumb_and_taking_it_back(page: Page):
    thumb(page, "Good answer").click()
    page.get_by_role("textbox", name="What was good").fill("Eight is right.")
    page.get_by_role("radio", name="Yes, this exchange").check()
    page.get_by_role("button", name="Save").click()
    expect(said(page, "This one exchange may train models")).to_be_visible()
    expect(page.get_by_role("link", name="This exchange may train models")).to_be_visible()
    expect(page.get_by_text(re.compile("not used for training")).first).to_be_attached()

    second = page.context.new_page()
    second.goto("/privacy/")
    second.get_by_role("link", name="Your feedback").click()
    expect(second.get_by_text("Eight is right.")).to_be_visible()
    no_violations(second)
    second.get_by_role("button", name="Withdraw").click()
    expect(second.get_by_text("This exchange trains no models.").first).to_be_visible()
    expect(page.get_by_role("link", name="This exchange trains no models")).to_be_visible()  # in the other tab, too

    thumb(page, "Bad answer").click()
    expect(page.get_by_role("textbox", name="What was good")).to_have_value("Eight is right.")
    expect(page.get_by_role("radio", name="No", exact=True)).to_be_checked()
    page.get_by_role("button", name="Take the feedback back").click()
    expect(said(page, "taken back")).to_be_visible()
    for name in ("Good answer", "Bad answer"):
        expect(thumb(page, name)).to_have_attribute("aria-pressed", "false")
    second.reload()
    expect(second.get_by_text("You have said nothing of any answer so far.")).to_be_visible()


def test_a_comment_that_is_too_long_says_so_and_is_not_lost(page: Page):
    thumb(page, "Bad answer").click()
    field = page.get_by_role("textbox", name="What was good")
    field.evaluate("element => element.removeAttribute('maxlength')")
    field.fill("x" * 1001)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your comment has 1001 characters; the limit is 1,000.")).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_value("x" * 1001)
    no_violations(page)


def test_what_was_answered_in_another_tab_is_not_overwritten(page: Page):
    thumb(page, "Good answer").click()
    second = page.context.new_page()
    second.goto(page.url)
    thumb(second, "Good answer").click()
    second.get_by_role("radio", name="No", exact=True).check()
    second.get_by_role("button", name="Save").click()
    expect(said(second, "This exchange trains no models")).to_be_visible()
    page.get_by_role("radio", name="Yes, this exchange").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").get_by_text("You have answered in another tab")).to_be_visible()
    expect(page.get_by_role("radio", name="No", exact=True)).to_be_checked()


def test_without_javascript_it_is_a_page(page: Page, browser: Browser):
    context = browser.new_context(
        base_url=page.url, java_script_enabled=False, storage_state=page.context.storage_state()
    )
    plain = context.new_page()
    plain.goto(page.url)
    thumb(plain, "Good answer").click()
    expect(plain.get_by_role("heading", name="Your feedback")).to_be_visible()
    expect(plain.get_by_text("How many legs has a spider?", exact=True)).to_be_visible()
    plain.get_by_role("radio", name="Yes, this exchange").check()
    plain.get_by_role("button", name="Save").click()
    expect(plain).to_have_url(re.compile(r"/chat/[0-9a-f-]{36}/#m-"))
    expect(thumb(plain, "Good answer")).to_have_attribute("aria-pressed", "true")
    plain.get_by_role("link", name="This exchange may train models").click()
    plain.get_by_role("button", name="Take the feedback back").click()
    expect(thumb(plain, "Good answer")).to_have_attribute("aria-pressed", "false")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1440])
def test_axe_finds_nothing_in_the_open_form_and_nothing_is_cut_off(page: Page, scheme: Any, width: int):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    thumb(page, "Good answer").click()
    expect(page.get_by_role("radio", name="Yes, this exchange")).to_be_visible()
    no_violations(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.get_by_role("radio", name="Yes, this exchange").check()
    page.get_by_role("button", name="Save").click()
    address = answers(page).first.get_attribute("data-message")
    for there in (f"/chat/message/{address}/feedback", "/chat/feedback/"):
        page.goto(there)
        no_violations(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), there
