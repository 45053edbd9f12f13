"""What applies to each chat of a person, in all holdings: counted by retention class, and one by one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import F, QuerySet

from privacy.badge import Badge, badge
from privacy.foresight import Alike
from privacy.holdings import Holding, tagged_holdings
from privacy.policy import Standing
from privacy.prose import class_title
from privacy.selection import listed, visible_to
from privacy.vocabulary import RetentionClass

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True)
class Class:
    """How many chats of a class there are, how many of them train at this moment, and when the first of them ends."""

    name: RetentionClass
    count: int
    training: int
    first_end: datetime | None

    @property
    def title(self) -> str:
        return class_title(self.name)


def by_class(chats: Iterable[Alike]) -> list[Class]:
    """The classes that occur, in the order of the schedule."""
    found: list[Class] = []
    chats = list(chats)
    for name in (
        RetentionClass.TRAINING,
        RetentionClass.KEPT,
        RetentionClass.STANDARD,
        RetentionClass.TEMPORARY,
        RetentionClass.AGREEMENT,
    ):
        kinds = [one for one in chats if one.retention_class is name]
        if kinds:
            ends = [one.first_end for one in kinds if one.first_end]
            training = sum(one.count for one in kinds if one.trains)
            found.append(Class(name, sum(one.count for one in kinds), training, min(ends, default=None)))
    return found


# --- One by one -------------------------------------------------------------------

Row = tuple[Holding, Any]


@dataclass(frozen=True)
class Item:
    """One chat: its name, the page that says why, what applies, and whether it was kept by itself."""

    key: UUID
    title: str
    url: str
    badge: Badge
    kept: bool


class Chats:
    """The visible chats of a person over all holdings, those that end first first, for a paginator."""

    def __init__(
        self, user: "User", retention_class: RetentionClass | None = None, ends_before: datetime | None = None
    ) -> None:
        wanted = (retention_class, ends_before)
        found = [(one, _ordered(model, user, *wanted)) for one, model in tagged_holdings() if one.describe]
        self._parts = [(holding, rows, rows.count()) for holding, rows in found]

    def count(self) -> int:
        return sum(count for *_, count in self._parts)

    def __getitem__(self, wanted: slice) -> list[Row]:
        begin, end = wanted.start or 0, wanted.stop
        found: list[Row] = []
        for holding, rows, count in self._parts:
            found += [(holding, row) for row in rows[min(begin, count) : min(end, count)]]
            begin, end = max(begin - count, 0), max(end - count, 0)
        return found


def _ordered(
    model: Any, user: "User", retention_class: RetentionClass | None, ends_before: datetime | None
) -> "QuerySet[Any]":
    rows = listed(visible_to(user, model), retention_class, ends_before).select_related("workspace__agreed__agreement")
    return rows.order_by(F("hidden_from").asc(nulls_last=True), "-last_activity_at", "-pk")


def items(rows: Iterable[Row], standing: Standing) -> list[Item]:
    """These rows in words."""
    found = []
    for holding, row in rows:
        assert holding.describe
        described = holding.describe(row)
        found.append(Item(row.public_id, described.title, described.url, badge(row, standing), row.kept))
    return found
