"""The product as a person meets it: a real browser, the real server and workers, the real model."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.running import Up, wait_for
from tests.visitor import PASSWORD, answers, ask, choose, no_violations, sign_in, sign_up

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def up(tmp_path_factory) -> Iterator[Up]:
    folder: Path = tmp_path_factory.mktemp("parley")
    up = Up(folder / "var", folder / "output", "--demo")
    try:
        up.ready()
        yield up
    finally:
        up.stop()


@pytest.fixture(scope="module")
def parley(up: Up) -> str:
    return f"http://127.0.0.1:{up.port}"


@pytest.fixture
def page(browser: Browser, parley: str) -> Iterator[Page]:
    """A page that fails the test for an error in its console and for any request to elsewhere."""
    context = browser.new_context(base_url=parley, viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("request", lambda made: None if made.url.startswith((parley, "blob:")) else wrong.append(made.url))
    yield page
    context.close()
    assert wrong == []


def demo_password(up: Up) -> str:
    return (up.data / "secrets" / "demo_password").read_text()


def test_from_signing_up_to_gone(page: Page, browser: Browser):
    sign_up(page)
    expect(page).to_have_url(re.compile("/privacy/choice/"))
    assert [radio.is_checked() for radio in page.get_by_role("radio").all()] == [False, False]
    no_violations(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Please choose one of the two")).to_be_visible()
    choose(page)

    expect(page.get_by_text("Your words go to SmolLM2, on this machine.")).to_be_visible()
    no_violations(page)
    ask(page, "Write a long story about a lighthouse keeper, at least ten paragraphs.")
    answer = answers(page).first
    expect(answer).to_have_attribute("data-state", "streaming")
    expect(answer.locator("[data-body]")).not_to_be_empty()

    second = page.context.new_page()
    second.goto(page.url)
    expect(answers(second).first.locator("[data-body]")).not_to_be_empty()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    second.get_by_role("button", name="Stop").click()
    for tab in (page, second):
        expect(answers(tab).first).to_have_attribute("data-state", "stopped")
        expect(tab.locator("[data-body].as-written")).to_have_count(1)  # the question; the answer is rendered
    said = answer.locator("[data-body]").inner_text()
    assert said and said == answers(second).first.locator("[data-body]").inner_text()
    page.reload()
    assert answers(page).first.locator("[data-body]").inner_text() == said
    no_violations(page)

    address = page.url
    page.get_by_role("button", name="Delete the conversation").click()
    expect(page).to_have_url(re.compile(r"/chat/(\?.*)?$"))
    expect(second).to_have_url(re.compile(r"/chat/(\?.*)?$"))
    expect(
        page.get_by_role("navigation", name="Conversations").get_by_role("link", name=re.compile("lighthouse"))
    ).to_have_count(0)
    gone = page.goto(address)
    assert gone and gone.status == 404


def test_an_answer_comes_to_its_end_and_gets_a_title_and_a_badge(page: Page):
    sign_up(page)
    choose(page, "Allow")
    ask(page, "Say hello.")
    expect(answers(page).first).to_have_attribute("data-state", "complete")
    expect(page.get_by_text(re.compile(r"Kept until .* 20\d\d · may train models")).first).to_be_visible()
    page.get_by_role("button", name="Regenerate").click()
    expect(page.get_by_text("2 / 2")).to_be_visible()
    expect(answers(page).first).to_have_attribute("data-state", "complete")
    page.get_by_role("button", name="Previous version").click()
    expect(page.get_by_text("1 / 2")).to_be_visible()


def test_what_is_copied_is_what_was_said(page: Page, up: Up):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/account/login/")
    sign_in(page, "alice@parley.example", demo_password(up))
    page.get_by_role("navigation", name="Conversations").get_by_role("link", name="Leap years in Python").click()
    code = "import calendar\n\ncalendar.isleap(2028)  # True"
    page.locator("figure").get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()").strip() == code
    answers(page).get_by_role("button", name="Copy", exact=True).last.click()
    said = page.evaluate("navigator.clipboard.readText()")
    assert (
        re.match(rf"The standard library has one:\n+{re.escape(code)}\n+By hand: year", said)
        and "cop" not in said.lower()
    )
    expect(page.locator("figcaption")).to_be_visible()


def test_it_works_without_javascript(browser: Browser, parley: str):
    context = browser.new_context(base_url=parley, java_script_enabled=False)
    page = context.new_page()
    sign_up(page)
    choose(page)
    ask(page, "Say one word.")
    expect(page).to_have_url(re.compile(r"/chat/[0-9a-f-]{36}/"))
    expect(answers(page).first).to_have_attribute("data-state", "complete")  # the page refreshes by itself
    page.get_by_role("button", name="Delete the conversation").click()
    page.get_by_role("button", name="Undo").click()
    expect(answers(page).first).to_be_visible()
    context.close()


def test_a_receipt_shows_its_seal_by_itself(page: Page):
    sign_up(page)
    choose(page)
    page.get_by_role("link", name="Receipt").click()
    expect(page.get_by_role("heading", name="Receipt of your choice")).to_be_visible()
    expect(page.get_by_text("You did not allow training.")).to_be_visible()
    no_violations(page)
    expect(page.locator("[data-part=seal]")).to_contain_text("Sealed")
    download = page.get_by_role("link", name="Download the file")
    expect(download).to_be_visible()
    no_violations(page)
    page.emulate_media(media="print")
    expect(page.get_by_text("This sheet is to be read.")).to_be_visible()
    expect(download).not_to_be_visible()


def test_taking_ones_data_along_leaving_and_coming_back(page: Page, browser: Browser, parley: str):
    sign_up(page)
    choose(page)
    ask(page, "Write a long story about a lighthouse keeper, at least ten paragraphs.")
    expect(answers(page).first).to_have_attribute("data-state", "streaming")
    tab = page.context.new_page()
    tab.goto("/privacy/")
    tab.get_by_role("link", name="Export your data").click()
    tab.get_by_role("button", name="Make the file").click()
    link = tab.get_by_role("link", name="Download the file")
    expect(link).to_be_visible(timeout=60_000)  # the page hears of it by itself
    no_violations(tab)
    with tab.expect_download() as download:
        link.click()
    with ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        said = json.loads(archive.read("parley-export.json"))
        assert "lighthouse" in archive.read("index.html").decode().lower()
    address = said["account"]["email"]
    assert "lighthouse" in said["conversations"][0]["messages"][0]["text"]

    tab.goto("/privacy/")
    tab.get_by_role("link", name="Delete your account").click()
    tab.get_by_label("Password", exact=True).fill(PASSWORD)
    tab.get_by_role("button", name="Delete it now, for good").click()
    expect(tab.get_by_role("heading", name="Your account is deleted")).to_be_visible()
    expect(page.get_by_text("You are signed out")).to_be_visible()

    def can_sign_up() -> bool:
        """As soon as a worker has done the rest."""
        with browser.new_context(base_url=parley) as context:
            again = context.new_page()
            again.goto("/account/signup/")
            again.locator("[name=email]").fill(address)
            again.locator("[name=password1]").fill(PASSWORD)
            again.get_by_role("button", name="Sign up").click()
            return "/privacy/choice/" in again.url

    wait_for(can_sign_up, 30)


OVERLAPS = """(toast, other) => {
    const [a, b] = [toast, document.querySelector(other)].map((element) => element.getBoundingClientRect());
    return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}"""


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_a_toast_covers_nothing_and_goes_when_one_begins_to_write(page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 900})
    sign_up(page)
    choose(page)
    toast = page.get_by_role("status").locator(".toast", has_text="You chose")
    for other in ("#composer", "#empty", "#head"):
        assert not toast.evaluate(OVERLAPS, other), other
    ask(page, "Say hello.")
    expect(toast).to_have_count(0)
    expect(answers(page).first).to_have_attribute("data-state", "complete")

    page.evaluate("document.dispatchEvent(new CustomEvent('parley:toast', { detail: 'It happened.' })); scrollTo(0, 0)")
    toast = page.get_by_role("status").locator(".toast", has_text="It happened")
    for other in ("#composer", "[data-role=user]", "[data-role=assistant]", "#head"):
        assert not toast.evaluate(OVERLAPS, other), other
    toast.get_by_role("button", name="Dismiss").click()
    expect(toast).to_have_count(0)

    page.get_by_role("button", name="Delete the conversation").click()
    page.get_by_role("textbox", name="Message").fill("Now something else")
    buttons = page.get_by_role("status").locator(".toast", has_text="is deleted").get_by_role("button")
    expect(buttons).to_have_text(["Undo", ""])
    undo, dismiss = (button.bounding_box() for button in buttons.all())
    assert undo and dismiss and abs(undo["y"] - dismiss["y"]) < undo["height"] / 2  # beside one another


def test_a_minor_gets_no_account_and_no_question(page: Page):
    sign_up(page, born="2015-01-01")
    expect(page.get_by_text("cannot open an account for you yet")).to_be_visible()
    no_violations(page)


STRANGERS = [
    "/",
    "/account/login/",
    "/account/signup/",
    "/account/password/reset/",
    "/terms/",
    "/terms/current/",
    "/nowhere",
]
PEOPLES = [
    "/chat/",
    "/privacy/",
    "/privacy/choice/",
    "/account/profile/",
    "/account/email/",
    "/account/password/change/",
    "/privacy/export/",
    "/privacy/delete-account/",
    "/privacy/account-deleted/",
]


STAFFS = [
    *("", "accounts/user/", "accounts/user/1/change/", "accounts/workspace/", "accounts/workspace/add/"),
    *("accounts/workspace/1/change/", "auth/group/add/", "chat/conversation/", "chat/conversation/1/change/"),
    *("privacy/terms/", "privacy/terms/add/", "privacy/terms/1/change/", "privacy/terms/1/copy/"),
    *("privacy/terms/1/figures/", "privacy/event/", "privacy/event/1/change/", "privacy/standing/"),
    *("privacy/erasure/", "privacy/sweeprun/", "privacy/leaf/", "privacy/treehead/", "privacy/tombstone/"),
    "password_change/",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing(browser: Browser, parley: str, scheme: Any, width: int):
    context = browser.new_context(
        base_url=parley, color_scheme=scheme, viewport={"width": width, "height": 800}, reduced_motion="reduce"
    )
    page = context.new_page()
    for address in STRANGERS:
        page.goto(address)
        no_violations(page)
    sign_up(page)
    choose(page)
    for address in PEOPLES:
        page.goto(address)
        no_violations(page)
        # Nothing is cut off sideways.
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), address
    context.close()


def test_a_conversation_fits_the_narrowest_window(page: Page, up: Up):
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto("/account/login/")
    sign_in(page, "alice@parley.example", demo_password(up))
    page.get_by_role("button", name="Conversations").click()
    page.get_by_role("navigation", name="Conversations").get_by_role("link", name="Leap years in Python").click()
    expect(page.get_by_text(re.compile("Kept until .* not used for training")).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    no_violations(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_administration(browser: Browser, up: Up, parley: str, scheme: Any):
    context = browser.new_context(base_url=parley, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/admin/")
    sign_in(page, "stella@parley.example", demo_password(up))
    expect(page).to_have_url(re.compile("/admin/"))
    for address in STAFFS:
        reached = page.goto(f"/admin/{address}")
        assert reached and reached.status == 200, address
        no_violations(page)
    context.close()
