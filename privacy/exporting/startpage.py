"""The page to begin at: the account, what applies, what was chosen, the way to each chat. And a word on the whole."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from accounts import clock
from privacy import parts, prose, record, standings
from privacy.applies import applies
from privacy.badge import badge
from privacy.exporting.archive import Archive
from privacy.exporting.frame import framed
from privacy.holdings import Sheet, tagged_holdings
from privacy.models import Standing
from privacy.selection import visible_to

if TYPE_CHECKING:
    from accounts.models import User
    from privacy.models import Terms

AT_ONCE = 100
START, README = "index.html", "README.txt"


def start(user: "User", archive: Archive) -> Iterator[Sheet]:
    yield Sheet(START, framed(_("Your data"), _body(user, archive)))


def readme(user: "User") -> Iterator[Sheet]:
    context = {"user": user, "made_by": settings.CONTROLLER["name"], "address": settings.LINK_ORIGIN}
    yield Sheet(README, [render_to_string("privacy/takeout/readme.txt", context).encode()])


def _body(user: "User", archive: Archive) -> Iterator[str]:
    standing, owed = Standing.objects.whole().filter(user=user).first(), standings.owed_terms(user)
    yield _part("_account", account=parts.account(user), workspaces=list(parts.workspaces(user)), now=clock.now())
    if owed:
        now = applies(user, standing, owed, at=clock.now(), gpc=False)
        yield _part("_applies", applies=now, schedule=_schedule(now.terms or owed))
    yield from _chats(user, archive)
    yield from _choices(user, archive)


def _schedule(terms: "Terms") -> list[dict[str, str]]:
    return prose.retention_table(terms)


def _chats(user: "User", archive: Archive) -> Iterator[str]:
    """A line for each that is in the file, and nothing that is not."""
    pages = (entry for entry in archive.entries() if entry.about and entry.name.endswith(".html"))
    yield _part("_chats_begin")
    while some := list(islice(pages, AT_ONCE)):
        rows = _rows(user, [entry.about for entry in some])
        lines = [{"page": entry.name, **rows[entry.about]} for entry in some if entry.about in rows]
        yield _part("_chats", lines=lines)
    yield _part("_chats_end")


def _rows(user: "User", keys: list[str]) -> dict[str, dict[str, Any]]:
    facts, found = standings.standing_of(user), {}
    for holding, model in tagged_holdings():
        assert holding.describe
        rows: Any = visible_to(user, model).filter(public_id__in=keys).select_related("workspace__agreed__agreement")
        for row in rows:
            said = badge(row, facts)
            found[str(row.public_id)] = {"title": holding.describe(row).title, "row": row, "badge": said.short}
    return found


def _choices(user: "User", archive: Archive) -> Iterator[str]:
    names = (entry.name for entry in archive.entries() if entry.name.startswith("receipts/"))
    files = {name.removesuffix("-not-sealed.json").removesuffix(".json")[-8:]: name for name in names}
    moments = record.moments_of(user)
    yield _part("_choices_begin")
    for first in range(0, moments.count(), AT_ONCE):
        entries = record.entries(user, moments[first : first + AT_ONCE])
        yield _part("_choices", entries=[(entry, files.get(str(entry.receipt)[:8])) for entry in entries])
    yield _part("_choices_end")


def _part(name: str, **context: Any) -> str:
    return render_to_string(f"privacy/takeout/{name}.html", context)
