"""What stands in the file: units in a fixed order, each of one or more members and whole or not at all.

First the pages of every row that the person may still see, as its holding gives them, by their keys; then receipts, the
document, the page to begin at, a word on the whole. What is visible is asked for each page of rows as it is read, and
by the holdings as they go on reading; `first_gone` asks once more, for everything.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from privacy import portability, record, standings
from privacy.evidence import receipt as receipts
from privacy.exporting import startpage
from privacy.exporting.archive import Archive, Entry, Mark
from privacy.holdings import Holding, Sheet, tagged_holdings
from privacy.models import Event, Tagged
from privacy.selection import visible_to

if TYPE_CHECKING:
    from accounts.models import User

ROWS = 50  # asked for at once
ENTRIES = 500  # likewise, when they are asked for once more
DOCUMENT = "parley-export.json"
ALONE = 4  # units beside those of rows


@dataclass(frozen=True)
class Unit:
    """Members that are whole together. `step` and `key` say where reading goes on behind it."""

    step: str
    sheets: Iterable[Sheet]
    key: int = 1
    about: str = ""
    weight: int = 1


@dataclass(frozen=True)
class Gone:
    """Something in the file that its person does not see any more: how far everything before it is."""

    before: Mark
    reached: Mapping[str, int]
    done: int


def size(user: "User") -> int:
    """How many units there are, the document counted as one for each row in it."""
    return 2 * sum(visible_to(user, model).count() for _, model in tagged_holdings()) + ALONE


def units(user: "User", reached: Mapping[str, int], archive: Archive, each: Callable[[], None]) -> Iterator[Unit]:
    """What is still to be written; `each` is called for every row that goes into the document."""
    for holding, model in tagged_holdings():
        yield from _rows(user, holding, model, reached.get(holding.name, 0))
    rows = sum(1 for _ in _abouts(archive)) if "document" not in reached else 0
    alone = (
        Unit("receipts", _receipts(user)),
        Unit("document", _document(user, each), weight=rows + 1),
        Unit("start", startpage.start(user, archive)),
        Unit("readme", startpage.readme(user)),
    )
    yield from (unit for unit in alone if unit.step not in reached)


def _rows(user: "User", holding: Holding, model: type[Tagged], after: int) -> Iterator[Unit]:
    rows = visible_to(user, model).filter(pk__gt=after).select_related("workspace__agreed__agreement")
    for page in portability.pages(rows, ROWS):
        standing = standings.standing_of(user)
        for row in page:
            yield Unit(holding.name, holding.sheets(user, row, standing), row.pk, str(row.public_id))


def _receipts(user: "User") -> Iterator[Sheet]:
    """One for each act, as its page gives it."""
    moments = record.moments_of(user).reverse()
    for start in range(0, moments.count(), ROWS):
        keys = [entry.receipt for entry in record.entries(user, moments[start : start + ROWS]) if entry.receipt]
        for event in Event.objects.filter(key__in=keys).order_by("pk"):
            said = receipts.receipt_of(event)
            name = receipts.name_of(event, sealed=receipts.is_sealed(said))
            yield Sheet(f"receipts/{name}", [receipts.written(said).encode()])


def _document(user: "User", each: Callable[[], None]) -> Iterator[Sheet]:
    yield Sheet(DOCUMENT, portability.document(user, each))


# --- Once more --------------------------------------------------------------------


def first_gone(user: "User", archive: Archive) -> Gone | None:
    """The first row in the file that is hidden by now, deleted, or in a workspace that the person has left."""
    reached: dict[str, int] = {}
    entries, done = _abouts(archive), 0
    while some := list(islice(entries, ENTRIES)):
        seen = _seen(user, [entry.about for entry in some])
        for entry in some:
            if entry.about not in seen:
                return Gone(entry.before, reached, done)
            name, pk = seen[entry.about]
            reached, done = {**reached, name: pk}, done + 1
    return None


def _abouts(archive: Archive) -> Iterator[Entry]:
    """The first member of each row."""
    last = ""
    for entry in archive.entries():
        if entry.about and entry.about != last:
            yield entry
        last = entry.about


def _seen(user: "User", keys: list[str]) -> dict[str, tuple[str, int]]:
    """Those that the person may see: in which holding, under which primary key."""
    found: dict[str, tuple[str, int]] = {}
    for holding, model in tagged_holdings():
        rows: Any = visible_to(user, model).filter(public_id__in=keys).order_by().values_list("public_id", "pk")
        found |= {str(key): (holding.name, pk) for key, pk in rows}
    return found
