"""Safety reviews as the author of the conversation reads them: what they are told, their appeal, its answer.

A conversation that they no longer see is not named; that it is under review is told all the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.errors import NotFound
from privacy import overlays, reading, standings
from privacy.holdings import Described, tagged_holdings
from privacy.models import Appeal, Flag, Standing, Tagged
from privacy.models.flag import APPEAL_LENGTH
from privacy.selection import visible_to

if TYPE_CHECKING:
    from accounts.models import User


class AppealForm(forms.Form):
    text = forms.CharField(
        label=_("What do you want to say?"),
        max_length=APPEAL_LENGTH,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Up to 2,000 characters, in your own words. Staff who handle reviews read it."),
        error_messages={"required": _("Write what you want to say first.")},
    )

    def __init__(self, data: Any = None) -> None:
        """A browser sends two characters for the end of a line, and counts one."""
        if data is not None:
            data = data.copy()
            data["text"] = data.get("text", "").replace("\r\n", "\n")
        super().__init__(data)


@dataclass(frozen=True)
class Review:
    """`chat` is how its author knows the conversation; None if they see it no longer, or have left the workspace."""

    flag: Flag
    chat: Described | None

    @property
    def ended(self) -> datetime | None:
        return self.flag.released_at

    @property
    def appeal(self) -> Appeal | None:
        return getattr(self.flag, "appeal", None)

    @property
    def may_appeal(self) -> bool:
        return self.ended is None and self.appeal is None


@dataclass(frozen=True)
class Detailed:
    """One review with what its own page says besides: until when the flag keeps it, and who has opened it."""

    review: Review
    kept_until: datetime
    openings: reading.Openings


def reviews_of(user: "User") -> list[Review]:
    """All of a person's, the latest first. Two queries, and one more for each holding."""
    return _described(user, list(Flag.objects.of(user).select_related("appeal")))


def review_for(user: "User", public_id: UUID) -> Review:
    """One of theirs. Raises NotFound."""
    found = _described(user, Flag.objects.of(user).filter(public_id=public_id).select_related("appeal"))
    if not found:
        raise NotFound
    return found[0]


def review_on(user: "User", row: Tagged) -> Review | None:
    """The latest review of a conversation that `user` sees, standing or ended; None if there was none."""
    flag = Flag.objects.of(user).on(row).select_related("appeal").first()
    return Review(flag, None) if flag else None


def detailed(review: Review) -> Detailed:
    """Raises NotFound if the conversation is purged meanwhile."""
    row = overlays.find(review.flag.key)
    if row is None:
        raise NotFound
    person = row.workspace.personal_to
    standing = Standing.objects.whole().filter(user=person).first() if person else None
    schedule = standings.schedule_for(row.workspace, standing)
    return Detailed(review, schedule.flagged.after(review.flag.flagged_at), reading.openings(row))


def _described(user: "User", flags: Iterable[Flag]) -> list[Review]:
    flags = list(flags)
    seen: dict[tuple[str, UUID], Described] = {}
    for holding, model in tagged_holdings() if flags else ():
        label = model._meta.label_lower
        rows = visible_to(user, model).filter(public_id__in=[flag.key for flag in flags if flag.kind == label])
        if holding.describe:
            seen |= {(label, row.public_id): holding.describe(row) for row in rows}
    return [Review(flag, seen.get((flag.kind, flag.key))) for flag in flags]
