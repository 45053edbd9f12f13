"""The privacy page in tests: its sections as words, and what is said beside each answer."""

import re
from datetime import datetime
from html import unescape
from typing import Any

from django.template.defaultfilters import date
from django.utils import timezone

from privacy.models import Event
from tests.people import alice

PAGE = "/privacy/"
GPC, FETCH = {"Sec-GPC": "1"}, {"X-Requested-With": "fetch"}


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def text(page: Any) -> str:
    return words(page.content.decode())


def section(page: Any, name: str) -> str:
    """The words of one section of the page."""
    found = re.search(rf'<section id="{name}".*?</section>', page.content.decode(), re.S)
    assert found, name
    return words(found[0])


def beside(page: Any, answer: str, *, kept: bool = False) -> str:
    """What is said beside one of the two answers, with the history kept or without."""
    card = re.search(rf'<label class="answer" for="answer-{answer}">.*?</label>', page.content.decode(), re.S)
    assert card
    cases = dict(re.findall(r'<span class="foretold (with|without)-history">(.*?)\n</span>', card[0], re.S))
    return words(re.sub(r'<span class="case">.*?</span>', "", cases["with" if kept else "without"]))


def token(page: Any) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.content.decode())
    assert found
    return found[1]


def moment(when: datetime) -> str:
    """As the page writes it for Alice, who lives in Vienna."""
    with timezone.override("Europe/Vienna"):
        return str(date(timezone.localtime(when), "j F Y, H:i"))


def day(when: datetime) -> str:
    return moment(when).split(",")[0]


def said_at(act: str) -> str:
    """When Alice last did that, as the page writes it."""
    return moment(Event.objects.of(alice()).filter(act=act).latest("pk").at)
