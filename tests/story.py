"""What the story of 2025 is told with: the running product, its clock, its mails, and people at their browsers."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, expect

from config.environment import BASE_DIR
from tests.people import PASSWORD
from tests.running import Up, wait_for


class House:
    """One `up` whose clock can be moved, and what whoever runs it does beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = folder / "clock"
        self.clock.write_text("0")
        self.up = Up(folder / "var", folder / "output", MODEL_PROVIDER="scripted", CLOCK_FILE=str(self.clock))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.up.port}"

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self.clock.read_text()))

    def move_to(self, moment: datetime) -> None:
        """It is that moment now, for every process at once."""
        beside = self.clock.with_name("clock.next")
        beside.write_text(str((moment - datetime.now(UTC)).total_seconds()))
        beside.replace(self.clock)

    def manage(self, *arguments: str, **variables: str) -> str:
        """`manage.py` in a second shell."""
        return self.up.manage(*arguments, **variables)

    def remind(self, names: list[str]) -> None:
        """What beat starts every minute, now; it (or beat's own) has done its work when these people were reminded."""
        self.up.run("-m", "celery", "--app=config", "--quiet", "call", "privacy.tasks.remind")
        wait_for(lambda: self.reminded() == names, 30, self.reminded)

    def mails(self) -> list[EmailMessage]:
        """Every reminder that has left the house, the oldest first."""
        found = []
        for file in sorted((self.up.data / "mail").glob("*"), key=lambda one: one.stat().st_mtime_ns):
            for part in re.split(rb"^-{70,}\n", file.read_bytes(), flags=re.M):
                mail = message_from_bytes(part, policy=policy.default)
                if "terms" in str(mail["subject"]):
                    found.append(mail)
        return found

    def reminded(self) -> list[str]:
        """To whom reminders went, by name."""
        return sorted(str(mail["to"]).split("@")[0] for mail in self.mails())


class Person:
    """Somebody at a browser. Any fault in a page, and any request to elsewhere, is noted in `wrong`."""

    def __init__(self, browser: Browser, house: House, name: str, **headers: str) -> None:
        self.name, self.house = name, house
        self.context = browser.new_context(
            base_url=house.address,
            viewport={"width": 1280, "height": 900},
            extra_http_headers=headers,
            reduced_motion="reduce",
        )
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._listen)
        self.page.on("request", self._see)

    def _listen(self, said: Any) -> None:
        # Without an address it is axe, which tries things of its own in the page.
        if "Content Security Policy" in said.text and said.location["url"]:
            self.wrong.append(said.text)

    def _see(self, request: Any) -> None:
        if not request.url.startswith((self.house.address, "blob:")):
            self.wrong.append(request.url)

    # --- What people do ---------------------------------------------------------

    def sign_up(self, born: str = "1990-05-17") -> None:
        self.page.goto("/account/signup/")
        self.page.locator("[name=email]").fill(f"{self.name}@example.org")
        self.page.locator("[name=password1]").fill(PASSWORD)
        self.page.locator("[name=date_of_birth]").fill(born)
        self.page.get_by_role("button", name="Sign up").click()
        expect(self.page).not_to_have_url(re.compile("signup"))

    def sign_in(self, email: str) -> None:
        self.page.goto("/account/login/?next=/admin/")
        self.page.locator("[name=login]").fill(email)
        self.page.locator("[name=password]").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()

    def choose(self, answer: str) -> None:
        self.page.get_by_role("radio", name=answer, exact=True).check()
        self.page.get_by_role("button", name="Continue").click()
        expect(self.said(f"You chose “{answer}”")).to_be_visible()

    def ask(self, text: str) -> None:
        self.page.get_by_role("textbox", name="Message").fill(text)
        self.page.get_by_role("button", name="Send", exact=True).click()
        self.is_answered(text)

    # --- What people see --------------------------------------------------------

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def said(self, words: str) -> Locator:
        return self.page.get_by_role("status").locator(".toast", has_text=words)

    def is_answered(self, text: str) -> None:
        expect(self.page.locator("[data-role=user]", has_text=text)).to_be_visible()
        expect(self.page.locator("[data-role=assistant][data-message]").last).to_have_attribute(
            "data-state", "complete"
        )

    def accessible(self) -> None:
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()

    # --- Doors tried by hand ----------------------------------------------------

    def posted_by_hand(self, text: str) -> tuple[int, Any]:
        """A request as a program makes it: status and JSON."""
        return tuple(
            self.page.evaluate(
                """async (text) => {
                    const form = document.getElementById("composer");
                    const body = new FormData(form);
                    body.set("text", text);
                    body.set("request", "");
                    const headers = { Accept: "application/json" };
                    const answer = await fetch(form.action, { method: "POST", body, headers });
                    return [answer.status, await answer.json()];
                }""",
                text,
            )
        )

    def said_on_a_socket(self, text: str) -> Any:
        """What a socket of one's own answers to a question."""
        return self.page.evaluate(
            """(text) => new Promise((resolve, reject) => {
                const socket = new WebSocket(location.origin.replace("http", "ws") + document.body.dataset.socket);
                const { workspace } = document.body.dataset;
                const request = crypto.randomUUID();
                const ask = { type: "ask", request, workspace, conversation: null, parent: null, text };
                socket.onmessage = ({ data }) => {
                    const frame = JSON.parse(data);
                    if (frame.type === "hello") socket.send(JSON.stringify(ask));
                    if (frame.request !== request) return;
                    resolve({ ...frame, open: socket.readyState === 1 });
                    socket.close();
                };
                socket.onclose = () => reject(new Error("closed"));
            })""",
            text,
        )

    # --- Proof ------------------------------------------------------------------

    def receipt(self) -> dict[str, Any]:
        """The receipt of the latest choice, fetched as a file and checked by the program for auditors, elsewhere."""
        self.page.goto("/privacy/")
        self.page.get_by_role("link", name="Receipt").first.click()
        expect(self.page.get_by_role("heading", name="Receipt of your choice")).to_be_visible()
        wait_for(lambda: self._sealed(), 40)
        self.accessible()
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name="Download").click()
        elsewhere = self.house.folder / f"elsewhere-{self.name}"
        elsewhere.mkdir(exist_ok=True)
        file = elsewhere / "receipt.json"
        download.value.save_as(file)
        checked = subprocess.run(
            [sys.executable, "-I", str(BASE_DIR / "docs" / "verify_receipt.py"), file.name],
            cwd=elsewhere,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
        return dict(json.loads(file.read_text()))

    def _sealed(self) -> bool:
        self.page.reload()
        return self.page.get_by_text("Sealed:").is_visible()
