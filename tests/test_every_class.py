"""Every class of a conversation as people make it arise and meet it: in a browser, on the clock of the processes that
`up` started. What the page says is compared with what then happens: the badge, the reason, the instant at which a
chat vanishes, and the next sweep.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from privacy.vocabulary import Reason
from tests.story import House, Person

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)
A_MOMENT = timedelta(minutes=2)  # what the steps of a test take, at most
MONTH, DAY = timedelta(days=30), timedelta(days=1)


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("classes"))
    try:
        house.up.ready()
        yield house
    finally:
        house.up.stop()


@dataclass(frozen=True)
class Chat:
    """One chat of somebody at a browser, as its pages and the database tell of it."""

    person: Person
    address: str
    temporary: bool = False

    @property
    def page(self) -> Page:
        return self.person.page

    @property
    def key(self) -> str:
        return self.address.rstrip("/").rpartition("/")[2]

    def says(self, badge: str, reason: Reason) -> None:
        """In its head, in the list beside it, and on its page of reasons."""
        self.page.goto(self.address)
        expect(self.page.locator("#head .badge summary span")).to_have_text(badge)
        self.page.locator("#head .badge summary").click()
        expect(self.page.locator("#head .badge .sheet")).to_contain_text(reason.sentence)
        listed = self.page.locator(f"#conversations [data-conversation='{self.key}'] .about")
        if not self.temporary:
            short = re.sub("^Kept until (?!you)", "Until ", badge).split(" · ")[0]
            said = listed.get_attribute("title") or ""
            assert said.startswith("Kept ·") if "until you" in badge else _same_day(said, short), said
            assert said.endswith("may train" if badge.endswith("may train models") else "no training"), said
        self.page.goto(f"{self.address}why")
        expect(self.page.get_by_role("main")).to_contain_text(badge)
        expect(self.page.get_by_role("main")).to_contain_text(reason.sentence)

    def ends(self) -> datetime:
        """The instant at which it vanishes, as stored."""
        return datetime.fromisoformat(self._stored("c.hidden_from.isoformat()"))

    def is_there(self) -> None:
        """At its address, and in the list of all, unless it is temporary and in none."""
        assert self._status() == 200
        if not self.temporary:
            self.page.goto("/privacy/chats/")
            expect(self.page.locator(f"#picked input[value='{self.key}']")).to_be_visible()

    def has_vanished(self) -> None:
        """From its address, from both lists, and from what may be exported."""
        assert self._status() == 404
        for address in ("/chat/", "/privacy/chats/"):
            self.page.goto(address)
            expect(self.page.locator(f"[data-conversation='{self.key}'], input[value='{self.key}']")).to_have_count(0)

    def is_stored(self) -> bool:
        return self._stored("c is not None") == "True"

    def _status(self) -> int:
        answer = self.page.goto(self.address)
        assert answer
        return answer.status

    def _stored(self, expression: str) -> str:
        code = (
            "from chat.models import Conversation\n"
            f"c = Conversation.objects.filter(public_id='{self.key}').first()\nprint({expression})"
        )
        return self.person.house.manage("shell", "--no-imports", "--command", code).strip()


def _same_day(short: str, long: str) -> bool:
    """Whether `Until 3 Jan 2027 · …` names the day of `Until 3 January 2027`."""
    day, month, year = long.removeprefix("Until ").split()
    return short.startswith(f"Until {day} {month[:3]} {year} ·")


def begin(person: Person, title: str, *, temporary: bool = False) -> Chat:
    person.page.goto("/chat/temporary/" if temporary else "/chat/")
    person.ask(title)
    expect(person.page).to_have_url(re.compile(r"/chat/[0-9a-f-]{36}/"))
    return Chat(person, re.sub(r"[?#].*", "", person.page.url), temporary)


def keep(chat: Chat) -> None:
    chat.page.goto(chat.address)
    chat.page.locator("#head .badge summary").click()
    chat.page.get_by_role("button", name="Keep this chat").click()
    expect(chat.person.said("This chat is kept.")).to_be_visible()


def delete(chat: Chat) -> None:
    """It vanishes at once; its bytes go within a day."""
    chat.page.goto(chat.address)
    chat.page.get_by_role("button", name="Delete the conversation").click()
    expect(chat.page.locator(".toast", has_text="Deleted")).to_be_visible()
    chat.has_vanished()
    assert chat.is_stored()


def foretold(person: Person, answer: str) -> list[str]:
    """What the privacy page says would follow from `answer`, without keeping the history."""
    person.page.goto("/privacy/")
    about = person.page.locator("label.answer", has=person.page.get_by_role("radio", name=answer, exact=True))
    return about.locator(".without-history .line").all_inner_texts()


def save(person: Person, answer: str) -> None:
    person.page.goto("/privacy/")
    person.page.get_by_role("radio", name=answer, exact=True).check()
    person.page.get_by_role("button", name="Save").click()
    expect(person.said("You chose")).to_be_visible()


def day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%-d %B %Y}"


def until(moment: datetime, training: str = "not used for training") -> str:
    return f"Kept until {day(moment)} · {training}"


KEPT = "Kept until you delete it · not used for training"


def vanishes_at(chat: Chat, end: datetime) -> None:
    """A minute before its end it is there; at its end it is nowhere, and at the next sweep it is no more."""
    house = chat.person.house
    house.move_to(end - timedelta(minutes=1))
    chat.is_there()
    house.move_to(end)
    chat.has_vanished()
    house.manage("sweep_retention")
    assert not chat.is_stored()


def staff_lets_it_pass(house: House) -> None:
    """Whoever runs the house answers the question of a sweep that found the clock odd."""
    house.manage("shell", "--command", LET_IT_PASS)


LET_IT_PASS = """
from accounts.models import User
from privacy import breaker
from privacy.models import SweepStop
stella = User.objects.create_superuser("stella@example.org")
breaker.answer(SweepStop.objects.open().get(), SweepStop.Answer.GO_ON, "It was moved on purpose", by=stella)
"""
WORKS = """
from accounts.models import User, Workspace
Workspace.objects.open_work(owner=User.objects.get(email="walt@example.org"), name="Works")
"""


def test_five_years_and_a_month(browser: Browser, house: House):
    rosa = Person(browser, house, "rosa")
    rosa.sign_up()
    rosa.choose("Don't allow")
    standard, kept, deleted = (begin(rosa, title) for title in ("A standard chat", "One to keep", "One to delete"))
    temporary = begin(rosa, "One for a day", temporary=True)
    began = house.now()
    keep(kept)
    standard.says(until(standard.ends()), Reason.DENIED)
    kept.says(KEPT, Reason.DENIED)
    temporary.says(until(temporary.ends()), Reason.TEMPORARY)
    assert abs(standard.ends() - began - MONTH) < A_MOMENT and abs(temporary.ends() - began - DAY) < A_MOMENT

    assert foretold(rosa, "Allow") == ["None of your 4 chats of today would train: they were begun before."]
    save(rosa, "Allow")
    for chat, badge in ((standard, until(standard.ends())), (kept, KEPT)):
        chat.says(badge, Reason.BEGUN_BEFORE)
    withdrawn = begin(rosa, "One that may train, for a while")
    withdrawn.says(until(withdrawn.ends(), "may train models"), Reason.ALLOWED)
    assert withdrawn.ends().year == house.now().year + 5

    stops, stays = foretold(rosa, "Don't allow")
    assert stops.startswith("1 chat would no longer be used for training. It stays until ")
    assert stays == "Nothing changes for 4 chats."
    save(rosa, "Don't allow")
    assert day(withdrawn.ends()) in stops
    withdrawn.says(until(withdrawn.ends()), Reason.DENIED)
    save(rosa, "Allow")
    withdrawn.says(until(withdrawn.ends()), Reason.BEGUN_BEFORE)
    training = begin(rosa, "One that may train")
    training.says(until(training.ends(), "may train models"), Reason.ALLOWED)

    delete(deleted)
    gone = house.now() + DAY
    vanishes_at(temporary, temporary.ends())
    house.move_to(gone + A_MOMENT)
    house.manage("sweep_retention")
    assert not deleted.is_stored()
    vanishes_at(standard, standard.ends())
    house.move_to(training.ends())
    training.has_vanished()
    house.manage("sweep_retention")
    assert training.is_stored()  # so far ahead at once: no clock does that, and staff is asked first
    staff_lets_it_pass(house)
    house.manage("sweep_retention")
    assert not training.is_stored() and not withdrawn.is_stored()
    kept.is_there()
    kept.says(KEPT, Reason.BEGUN_BEFORE)
    assert rosa.wrong == []
    assert "No drift" in house.manage("check_tags")


def test_an_unknown_age_a_history_and_work(browser: Browser, house: House):
    mila, hana, walt = (Person(browser, house, name) for name in ("mila", "hana", "walt"))
    mila.sign_up(born="")
    mila.page.get_by_role("button", name="Continue").click()
    ageless = begin(mila, "What somebody of an age unknown asks")
    ageless.says(until(ageless.ends()), Reason.AGE)
    assert abs(ageless.ends() - house.now() - MONTH) < A_MOMENT

    hana.sign_up()
    hana.choose("Allow")
    both = begin(hana, "One that may train and stays")
    five_years = until(both.ends(), "may train models")
    both.says(five_years, Reason.ALLOWED)
    for history, badge in ((True, "Kept until you delete it · may train models"), (False, five_years)):
        hana.page.goto("/privacy/")
        hana.page.get_by_role("checkbox", name="Keep my history").set_checked(history)
        hana.page.get_by_role("button", name="Save").click()
        expect(hana.said("You chose")).to_be_visible()
        both.says(badge, Reason.ALLOWED)

    walt.sign_up()
    house.manage("shell", "--command", WORKS)
    before = begin(walt, "Something for work")
    before.says(KEPT, Reason.AGREEMENT)
    sign(walt, days=60, training="Yes")
    before.says(until(before.ends()), Reason.BEGUN_BEFORE)
    since = begin(walt, "Something for work under the agreement")
    since.says(until(since.ends(), "may train models"), Reason.AGREED)
    assert abs(since.ends() - house.now() - timedelta(days=60)) < A_MOMENT
    sign(walt, days=60, training="No")
    since.says(until(since.ends()), Reason.AGREEMENT)
    for person in (mila, hana, walt):
        assert person.wrong == [], person.name
    vanishes_at(ageless, ageless.ends())
    vanishes_at(since, since.ends())
    assert "No drift" in house.manage("check_tags")


def sign(owner: Person, *, days: int, training: str) -> None:
    """Another agreement of the owner's one Work workspace, after its preview."""
    owner.page.goto("/privacy/")
    owner.page.get_by_role("link", name="Read it, or sign another").click()
    owner.page.get_by_role("radio", name="For so many days").check()
    owner.page.get_by_role("spinbutton", name="Days").fill(str(days))
    owner.page.get_by_role("radio", name=re.compile(f"^{training}")).check()
    owner.page.get_by_role("button", name="See what follows").click()
    owner.page.get_by_role("button", name="Sign", exact=True).click()
    expect(owner.said("signed and in force")).to_be_visible()
