"""What somebody at a browser does: sign up, choose, ask, read."""

import re
from itertools import count

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

PASSWORD = "staple horse battery correct"
_people = count(1)


def sign_up(page: Page, born: str = "1990-05-17") -> None:
    """As one who has just heard of it: from the front page."""
    page.goto("/")
    page.get_by_role("link", name=re.compile("sign up|create", re.I)).first.click()
    page.locator("[name=email]").fill(f"person{next(_people)}@example.org")
    page.locator("[name=password1]").fill(PASSWORD)
    page.locator("[name=date_of_birth]").fill(born)
    page.get_by_role("button", name=re.compile("sign up|create", re.I)).click()


def sign_in(page: Page, email: str, password: str) -> None:
    page.locator("[name=login]").fill(email)
    page.locator("[name=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()


def choose(page: Page, answer: str = "Don't allow") -> None:
    page.get_by_role("radio", name=answer, exact=True).check()
    page.get_by_role("button", name="Continue").click()


def ask(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("button", name="Send").click()


def answers(page: Page) -> Locator:
    return page.locator("[data-role=assistant][data-message]")


def no_violations(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
