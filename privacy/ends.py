"""What ends soon, in whole days of the person's own: the list, the line beside the chats and the e-mails agree.

"Within seven days" is until the end of the seventh day from today, so that a number that was read in the morning is
still the number of the list in the evening.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, Max, Min
from django.utils import timezone

from accounts import clock
from privacy.holdings import tagged_holdings
from privacy.models import ExpirySetting
from privacy.selection import visible_to

if TYPE_CHECKING:
    from accounts.models import User

TOMORROW, WEEK = 1, 7
CHOICES = (WEEK, 30)  # days that the list can be asked for


def horizon(days: int, at: datetime) -> datetime:
    """The midnight after the day that many days from that of `at`, in the current time zone."""
    here = timezone.localtime(at)
    return datetime.combine(here.date() + timedelta(days=days + 1), time.min, here.tzinfo)


@dataclass(frozen=True)
class Ending:
    """How many chats of a person end before a moment, and when the first and the last of them do."""

    count: int = 0
    first: datetime | None = None
    last: datetime | None = None


def ending(user: "User", before: datetime) -> Ending:
    """What `user` is told of; one query for each holding with tagged rows."""
    found = []
    for _holding, model in tagged_holdings():
        rows = visible_to(user, model).announced().ending(before).order_by()  # type: ignore[attr-defined]
        found.append(Ending(**rows.aggregate(count=Count("pk"), first=Min("hidden_from"), last=Max("hidden_from"))))
    return Ending(
        sum(one.count for one in found),
        min((one.first for one in found if one.first), default=None),
        max((one.last for one in found if one.last), default=None),
    )


# --- The line beside the chats ----------------------------------------------------


def coming(user: "User") -> Ending | None:
    """What ends within a week; None if nothing does, or nothing that was not there when the line was put away."""
    now = clock.now()
    found = ending(user, horizon(WEEK, now))
    if found.last is None:
        return None
    seen = ExpirySetting.objects.filter(user=user).values_list("seen_until", flat=True).first()
    return found if seen is None or found.last >= seen else None


def put_away(user: "User") -> None:
    """Show the line no more until something else comes near: whatever ends later than all that it was about."""
    ExpirySetting.objects.update_or_create(user=user, defaults={"seen_until": horizon(WEEK, clock.now())})
