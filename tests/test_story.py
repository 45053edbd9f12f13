"""The year 2025 from end to end, in the processes that `up` started and on their clock: terms are published, people are
asked; one allows, one does not, one puts it off three times, one says nothing; the deadline passes. Nothing is patched.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.people import PASSWORD
from tests.story import House, Person

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)
POINTS = """\
You are asked whether your chats may be used to train models. Before, nobody was.
Chats that may train are kept for 5 years, all others for 30 days.
Work is not concerned."""
BODY = "## Training\n\nYour chats train models only if you say so.\n"
DRAFT = "What I was just writing when the time was over"


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("story"))
    try:
        house.up.ready()
        yield house
    finally:
        house.up.stop()


def test_2025(browser: Browser, house: House):
    anna, dan, dora, silas, will = (Person(browser, house, name) for name in ("anna", "dan", "dora", "silas", "will"))
    people = [anna, dan, dora, silas]
    for person in people:
        person.sign_up()
        person.choose("Allow")
        person.ask(f"Something that {person.name} asks")
    will_works_for_wendy(browser, house, will)

    deadline = staff_publishes(browser, house, house.now() + timedelta(days=31))
    everybody_is_asked(people)
    anna.choose("Allow")
    dan.choose("Don't allow")
    dora_puts_it_off_three_times(dora)
    reminders_arrive(house, dora, deadline)
    silas.page.get_by_role("button", name="Not now").press("Escape")
    silas.page.get_by_role("textbox", name="Message").fill(DRAFT)

    house.move_to(deadline)
    silas_is_stopped_everywhere(silas)
    silas_reads_and_exports(silas)
    silas_chooses_and_sends_what_he_wrote(silas)
    nina = Person(browser, house, "nina")
    nina_chooses_before_her_first_message(nina)
    will_sees_nothing_of_it(house, will)

    answers = {"anna": "dpv:ConsentGiven", "silas": "dpv:ConsentGiven"}
    for person in (*people, nina):
        receipt = person.receipt()
        said = json.dumps(receipt["dpv:hasRecordOfActivity"])
        assert answers.get(person.name, "dpv:Consent") in said
        assert receipt["parley:evidence"]["terms"]["version"] == "2025-08-28"
    for person in (*people, nina, will):
        assert person.wrong == [], person.name
    house.manage("verify_ledger")
    house.manage("rebuild_standing", "--check")


# --- Before ---------------------------------------------------------------------


MEMBERSHIP = """
from accounts.models import Membership, User, Workspace
wendy, will = (User.objects.get(email=f"{name}@example.org") for name in ("wendy", "will"))
Membership.objects.create(user=will, workspace=Workspace.objects.open_work(owner=wendy, name="Works"))
"""


def will_works_for_wendy(browser: Browser, house: House, will: Person) -> None:
    """Members come to a Work workspace by invitation, which has no page yet: whoever runs the house lets them in."""
    wendy = Person(browser, house, "wendy")
    for person in (wendy, will):
        person.sign_up()
    house.manage("shell", "--command", MEMBERSHIP)
    wendy.context.close()
    will.page.goto("/chat/")
    will.ask("Something for work")


# --- August ---------------------------------------------------------------------


def staff_publishes(browser: Browser, house: House, deadline: datetime, asked: int = 4) -> datetime:
    """Stella writes a draft, sees the rehearsal, and publishes. Returns the deadline, which is a whole minute."""
    variables = {"DJANGO_SUPERUSER_EMAIL": "stella@example.org", "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    house.manage("createsuperuser", "--noinput", **variables)
    stella = Person(browser, house, "stella")
    stella.sign_in("stella@example.org")
    stella.page.goto("/admin/privacy/terms/add/")
    deadline = deadline.replace(second=0, microsecond=0)
    fill(stella.page, slug="2025-08-28", title="Terms of 28 August 2025", summary=POINTS, body=BODY)
    fill(stella.page, deadline=f"{deadline:%Y-%m-%dT%H:%M}")
    stella.accessible()
    stella.page.get_by_role("button", name="Save", exact=True).click()
    stella.page.get_by_role("link", name=re.compile("Terms of 28 August")).first.click()
    stella.page.get_by_role("link", name="Preview and publish").click()
    expect(stella.page.locator("dl.figures-totals dd").first).to_have_text(str(asked))
    stella.accessible()
    stella.page.get_by_role("button", name="Publish").click()
    expect(stella.page.get_by_text("is published.")).to_be_visible()
    assert stella.wrong == []
    stella.context.close()
    return deadline


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"[name={name}]").fill(value)


def everybody_is_asked(people: list[Person]) -> None:
    """In pages that were open all along, at that moment."""
    for person in people:
        expect(person.dialog).to_be_visible()
        assert [radio.is_checked() for radio in person.dialog.get_by_role("radio").all()] == [False, False]
        person.page.keyboard.press("Enter")
        person.dialog.get_by_role("button", name="Continue").click()
        expect(person.dialog.get_by_text("Please choose one of the two")).to_be_visible()
        person.accessible()
    for width in (320, 390, 820, 1440):
        the_two_answers_are_equal(people[0].page, width)


LOOK = """(card) => {
    const styles = getComputedStyle(card), title = getComputedStyle(card.querySelector(".title"));
    const sentence = getComputedStyle(card.querySelector(".sentence"));
    const seen = ["color", "backgroundColor", "fontSize", "fontWeight", "opacity", "borderTopColor", "borderTopWidth"];
    const said = (style) => seen.map((name) => style[name]);
    const { x, y, width, height } = card.getBoundingClientRect();
    return { look: [said(styles), said(title), said(sentence)], x, y, width, height };
}"""


def the_two_answers_are_equal(page: Page, width: int) -> None:
    """Their size, weight and colours, and they stand in one row or one column, wholly within the window's width."""
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_role("heading", level=1).last.hover()
    one, other = (card.evaluate(LOOK) for card in page.locator("dialog .answer").all())
    assert one["look"] == other["look"]
    assert abs(one["width"] - other["width"]) <= 1 and abs(one["height"] - other["height"]) <= 1
    assert abs(one["x"] - other["x"]) <= 1 or abs(one["y"] - other["y"]) <= 1
    assert max(card["x"] + card["width"] for card in (one, other)) <= width


def dora_puts_it_off_three_times(dora: Person) -> None:
    house = dora.house
    for day in range(3):
        if day:
            house.move_to(house.now() + timedelta(days=1, minutes=1))
            dora.page.reload()
        expect(dora.dialog).to_be_visible()
        expect(dora.dialog.get_by_text(re.compile("You have until"))).to_be_visible()
        dora.dialog.get_by_role("button", name="Not now").click()
        expect(dora.dialog).to_have_count(0)
        dora.page.reload()
        expect(dora.page.get_by_text("The terms have changed. Please choose by")).to_be_visible()
        expect(dora.dialog).to_have_count(0)
        dora.ask(f"Something on day {day}, for which there is time")


# --- September --------------------------------------------------------------------


def reminders_arrive(house: House, dora: Person, deadline: datetime) -> None:
    """Each once, to the undecided alone; Dora answers the second by its link, and gets no third."""
    for days, left in ((14, ["dora", "silas"]), (3, ["dora", "silas"])):
        before = house.reminded()
        house.move_to(nine_in_the_morning(deadline, days))
        house.remind(sorted(before + left))
    letter = next(mail for mail in reversed(house.mails()) if "dora" in mail["to"])
    assert letter["Message-ID"] and "3 days left" in letter["subject"]
    links = re.findall(r"https?://\S+", letter.get_content())
    assert links == [f"{house.address}/privacy/choice/"]
    dora.page.goto(links[0])
    dora.accessible()
    dora.choose("Don't allow")
    before = house.reminded()
    house.move_to(nine_in_the_morning(deadline, 1))
    house.remind(sorted([*before, "silas"]))
    assert len({mail["Message-ID"] for mail in house.mails()}) == len(house.mails())


def nine_in_the_morning(deadline: datetime, days: int) -> datetime:
    """A little after the hour at which reminders of that day are due; the browser's people live in UTC."""
    return (deadline - timedelta(days=days)).replace(hour=9, minute=1)


# --- The deadline, and after --------------------------------------------------------


def silas_is_stopped_everywhere(silas: Person) -> None:
    """His page is told at that moment, and so are a request and a socket made by hand."""
    expect(silas.dialog).to_be_visible()
    expect(silas.dialog.get_by_role("button", name="Not now")).to_have_count(0)
    silas.accessible()
    before = len(silas.page.locator("[data-role=user]").all())
    status, refusal = silas.posted_by_hand("Let me in")
    assert (status, refusal.get("error", refusal).get("code")) == (403, "consent_required"), refusal
    assert refusal["error"] == refusal["error"] | {"terms": "2025-08-28", "choice_url": "/privacy/choice/"}
    frame = silas.said_on_a_socket("Let me in")
    assert (frame["type"], frame["code"], frame["open"]) == ("error", "consent_required", True)
    silas.dialog.get_by_role("link", name="Read your conversations").click()
    expect(silas.dialog).to_have_count(0)
    assert silas.page.get_by_role("textbox", name="Message").input_value() == DRAFT
    expect(silas.page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    assert len(silas.page.locator("[data-role=user]").all()) == before


def silas_reads_and_exports(silas: Person) -> None:
    """In a second tab, while the first keeps what he was writing."""
    tab = silas.context.new_page()
    tab.goto(silas.page.url)
    expect(tab.locator("[data-role=user]", has_text="Something that silas asks")).to_be_attached()
    tab.goto("/privacy/export/")
    with tab.expect_download() as download:
        tab.get_by_role("button", name=re.compile("Export|Download")).first.click()
    assert "Something that silas asks" in download.value.path().read_text()
    for address in ("/privacy/", "/account/profile/", "/terms/current/", "/terms/2025-08-28/changes/"):
        reached = tab.goto(address)
        assert reached and reached.status == 200
    tab.close()


def silas_chooses_and_sends_what_he_wrote(silas: Person) -> None:
    silas.page.get_by_role("link", name="See and choose").first.click()
    expect(silas.dialog).to_be_visible()
    silas.choose("Allow")
    expect(silas.page.get_by_text("What you wrote is still here; nothing was sent.")).to_be_visible()
    silas.page.get_by_role("button", name="Send it now").click()
    silas.is_answered(DRAFT)


def nina_chooses_before_her_first_message(nina: Person) -> None:
    nina.sign_up()
    expect(nina.page).to_have_url(re.compile("/privacy/choice/"))
    nina.page.goto("/chat/")
    expect(nina.page).to_have_url(re.compile("/privacy/choice/"))
    expect(nina.page.get_by_role("heading", name="Terms of 28 August 2025")).to_be_visible()
    nina.choose("Don't allow")
    nina.ask("The first thing that Nina asks")


def will_sees_nothing_of_it(house: House, will: Person) -> None:
    will.page.goto("/chat/")
    expect(will.dialog).to_have_count(0)
    expect(will.page.get_by_text("The terms have changed")).to_have_count(0)
    will.ask("Something more for work")
    assert house.reminded() == ["dora"] * 2 + ["silas"] * 3
