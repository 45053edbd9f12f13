"""What comes and goes at the choice's doors: tokens out of pages, what pages say, what was recorded."""

import re
import time
from html import unescape
from typing import Any

from django.core import signing
from django.core.signing import TimestampSigner, b62_encode

from accounts.models import User
from privacy.models import Event, Standing
from privacy.vocabulary import Act

CHOICE, SETTINGS, DEFER, UNDO = "/privacy/choice/", "/privacy/", "/privacy/choice/not-now/", "/privacy/choice/undo/"
FETCH, GPC = {"X-Requested-With": "fetch"}, {"Sec-GPC": "1"}
WORDS = "Words that took an hour: <b>“É”</b> & \u202eback\u202c\u200b 🙂\nand more"
SHOWN = {Act.NOTICE_SHOWN, Act.GPC_SEEN}  # looking at the question leaves these behind; they answer nothing


def token(page: Any) -> str:
    return hidden(page, "token")


def hidden(page: Any, name: str) -> str:
    """The value of a hidden field; nothing where there is none."""
    found = re.search(f'name="{re.escape(name)}" value="([^"]*)"', page.content.decode())
    return unescape(found[1]) if found else ""


def says(page: Any) -> str:
    """What a page says of what went wrong: an alert, the errors of its form, or all that an error page has."""
    body = page.content.decode()
    whole = r"<main(.*?)</main>" if page.status_code in (400, 413) else r'(?:role="alert"|class="errorlist".*?)>(.*?)</'
    return unescape(" ".join(re.sub("<[^>]*>", " ", found) for found in re.findall(whole, body, re.S)).strip())


def aged(signed: str, *, salt: str, seconds: int) -> str:
    """The same token, made that long ago."""

    class Earlier(TimestampSigner):
        def timestamp(self) -> str:
            return b62_encode(int(time.time()) - seconds)

    return Earlier(salt=salt).sign_object(signing.loads(signed, salt=salt))


def answers(person: User) -> list[str]:
    """What was recorded of this person's answers, in its order."""
    events = Event.objects.of(person).exclude(act__in=SHOWN).order_by("pk")
    return [event.act for event in events]


def state(person: User) -> tuple[Any, ...]:
    """Everything that an answer changes."""
    standing = Standing.objects.filter(user=person)
    return (
        answers(person),
        *standing.values_list("terms__slug", "training", "keep_history", "despite_gpc", "epoch", "since"),
    )
