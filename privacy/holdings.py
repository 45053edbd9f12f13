"""Who holds what belongs to people. Owners of data register here; privacy never imports them.

A holding names its models, and the rows among them that carry a tag. Everything that must reach all data (re-tag,
sweep, erasure, export) walks this registry, so that an app added tomorrow is covered by adding a holding. A test fails
for a model that belongs to a person and is in no holding.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models, transaction

from privacy.models import Tagged

if TYPE_CHECKING:
    from accounts.models import User
    from privacy.policy import Standing


Model = type[models.Model]


def _nothing(_: Any) -> None: ...


def _no_children(_: Any) -> "Purged":
    return Purged()


def _unsaid(_: Any) -> "Iterable[Said]":
    return ()


def _no_sheets(*_: Any) -> "Iterator[Sheet]":
    return iter(())


@dataclass(frozen=True)
class Described:
    """A tagged row as its author knows it: what it is called, and the page that says what applies to it and why."""

    title: str
    url: str


@dataclass(frozen=True)
class Said:
    """One thing said in a tagged row, as it was written. `number` counts from 1; `below` is what it answers, if any."""

    number: int
    below: int | None
    who: str
    at: datetime
    text: str


@dataclass(frozen=True)
class Went:
    """What went with one tagged row, for its certificate: rows by what they are called, what each store outside the
    database must forget, and which operators of models had received its words.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    stores: Mapping[str, Sequence[str]] = field(default_factory=dict)
    operators: Sequence[str] = ()


@dataclass(frozen=True)
class Purged:
    """What went with tagged rows: with each (by primary key), how many rows in all, and the bytes of text in them."""

    rows: int = 0
    bytes: int = 0
    of: Mapping[int, Went] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """One part of the file that people are given of their data (docs/export.md).

    `read` gives an object, or an iterator of rows. Iterators, also those within a row, are read as they are written
    (portability.paged), so that no part is in memory as a whole. `title` says to people what is in it.
    """

    name: str
    title: Any
    models: Sequence[Model]
    read: "Callable[[User], Any]"


@dataclass(frozen=True)
class Sheet:
    """One member of the ZIP that people are given of their data: its path there, and its bytes, which are read as they
    are written.
    """

    name: str
    pieces: Iterable[bytes]


@dataclass(frozen=True)
class Holding:
    """Data of people in one app.

    `describe` names a tagged row for its author, without a query; every holding with tagged rows has one.
    `transcript` gives everything said in a tagged row, whoever sees it: privacy/reading.py says who may ask.
    `sheets` puts one tagged row on pages for its author to read and keep, with any files that are in it (given the
    person, the row and their standing); every holding with tagged rows has them. What it reads page by page it asks for
    page by page whether the person may still see it.
    `parts` are what a person is given of it, and `withheld` says of every other model why nobody is given its rows.
    `erase` takes a person out of everything that has no tag: a step, with a commit of its own, for each number of rows
    that it yields, so that it can be taken up again after any of them. Rows that have a tag are the sweep's.
    `fence` ends what is under way for a person who is being erased, in the transaction that shuts them out.
    `purge_children` deletes what hangs on tagged rows (given by primary key), inside the sweep's transaction. It says
    what went, and which keys must be forgotten in stores outside the database.
    `purged` are models whose rows go with tagged rows that they do not point to: their bytes are overwritten, too.
    `stores` are those: given keys that were written to the outbox, each forgets them, or raises (privacy/outbox.py).
    `called` says what rows and stores are to people, by the names that `purge_children` gives them.
    `end` ends what is under way on tagged rows (given as a query set) that are being deleted, in that transaction.
    `expire` deletes what the holder keeps beside tagged rows once it has served (given the present moment).
    `standing_changed` tells the holder that what applies to a person's rows changed: by their standing, an
    agreement, or an act on several of them (given the person's primary key), after commit.
    `replays` carry out again, after a backup is restored, what triggers of the holder's own wrote to the log outside
    the database, by kind; each says whether it concerned anything (privacy/guard/).
    """

    name: str
    models: Sequence[Model]
    parts: Sequence[Part]
    erase: "Callable[[User], Iterator[int]]"
    withheld: Mapping[Model, str] = field(default_factory=dict)
    fence: "Callable[[User], None]" = field(default=_nothing)
    tagged: type[Tagged] | None = None
    describe: Callable[[Any], Described] | None = None
    transcript: Callable[[Any], Iterable[Said]] = field(default=_unsaid)
    sheets: "Callable[[User, Any, Standing], Iterator[Sheet]]" = field(default=_no_sheets)
    purge_children: Callable[[Sequence[int]], Purged] = field(default=_no_children)
    purged: Sequence[Model] = ()
    stores: Mapping[str, Callable[[Sequence[str]], None]] = field(default_factory=dict)
    called: Mapping[str, Any] = field(default_factory=dict)
    end: Callable[[Any], None] = field(default=_nothing)
    expire: Callable[[datetime], None] = field(default=_nothing)
    standing_changed: Callable[[int], None] = field(default=_nothing)
    replays: Mapping[str, Callable[[dict[str, Any], datetime], bool]] = field(default_factory=dict)


_registry: dict[str, Holding] = {}


def register(holding: Holding) -> None:
    """Add a holding; a second one of the same name replaces the first."""
    _registry[holding.name] = holding


def all_holdings() -> list[Holding]:
    return list(_registry.values())


def tell_standing_changed(*people: int) -> None:
    """Tell every holder, once the caller's transaction is committed, that what stands for these people has changed."""
    for holding in all_holdings():
        for person in people:
            transaction.on_commit(_told(holding, person), robust=True)


def _told(holding: Holding, person: int) -> Callable[[], None]:
    """A function and no `partial`: where one fails, Django asks it for its name."""

    def tell() -> None:
        holding.standing_changed(person)

    return tell


def tagged_holdings() -> list[tuple[Holding, type[Tagged]]]:
    """The holdings that have tagged rows, with their model."""
    return [(holding, holding.tagged) for holding in _registry.values() if holding.tagged]
