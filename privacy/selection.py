"""Which of a person's chats an act is about: those picked, or all that were counted for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from accounts import clock
from accounts.models import Workspace
from privacy import retagging
from privacy.holdings import Holding, tagged_holdings
from privacy.vocabulary import RetentionClass

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User


@dataclass(frozen=True)
class Selection:
    """`keys` None: all in the lists that were begun by `begun_by`, of one retention class or of every one, ending
    whenever or before `ends_before`.
    """

    user: "User"
    keys: frozenset[UUID] | None = None
    retention_class: RetentionClass | None = None
    begun_by: datetime | None = None
    ends_before: datetime | None = None

    def rows(self) -> "Iterator[tuple[Holding, QuerySet[Any]]]":
        """The rows that the person still sees, one query set a holding. What is foreign or hidden is not among them."""
        for holding, model in tagged_holdings():
            rows = visible_to(self.user, model)
            if self.keys is not None:
                yield holding, rows.filter(public_id__in=self.keys)
                continue
            rows = listed(rows, self.retention_class, self.ends_before)
            yield holding, rows.filter(begun_at__lte=self.begun_by) if self.begun_by else rows

    def count(self) -> int:
        return sum(rows.count() for _, rows in self.rows())


def visible_to(user: "User", model: Any) -> "QuerySet[Any]":
    """The rows of one holding that `user` wrote and still sees."""
    places = Workspace.objects.open_to(user).order_by()
    return model._default_manager.visible(clock.now()).filter(author=user, workspace__in=places)  # type: ignore[no-any-return]


def listed(
    rows: "QuerySet[Any]", retention_class: RetentionClass | None, ends_before: datetime | None = None
) -> "QuerySet[Any]":
    """Those that lists show: of one retention class or all of them, whenever they end or before that moment."""
    rows = rows.in_lists()  # type: ignore[attr-defined]
    if ends_before:
        rows = rows.ending(ends_before)  # type: ignore[attr-defined]
    return rows.filter(tag_class=retention_class) if retention_class else rows


def locked(rows: "QuerySet[Any]", place: Workspace) -> "QuerySet[Any]":
    """These rows of one place, locked until the commit: always in the same order, so that two acts wait for each other
    in one only. What a re-tag has still to do to them is done.

    By primary key from here on: an act may change what they were found by.
    """
    keys = list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    found = rows.model._default_manager.filter(pk__in=keys)
    retagging.catch_up(place, found)
    return found  # type: ignore[no-any-return]
