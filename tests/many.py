"""Several conversations of every sort, made quickly and tagged truly, and their re-tag in pieces."""

from datetime import timedelta

from accounts import clock
from accounts.models import User, Workspace
from chat.models import Conversation
from privacy import retagging, standings, tagging
from privacy.models import Retagging, Standing

AGES = (timedelta(minutes=1), timedelta(hours=20), timedelta(days=12), timedelta(days=29, hours=22))


def conversations(user: User, place: Workspace | None = None, times: int = 1) -> list[Conversation]:
    """Of every age, some kept, some temporary, some deleted; in their own workspace if no other is named."""
    place, now, rows = place or user.personal_workspace, clock.now(), []
    whole = Standing.objects.whole().filter(user=user).first() if place.is_personal else None
    standing, schedule = standings.as_facts(user, whole), standings.schedule_for(place, whole)
    for number, age in enumerate(AGES * 4 * times):
        row = Conversation(workspace=place, author=user, begun_at=now - age, last_activity_at=now - age)
        row.temporary, row.kept = number % 16 == 4, number % 16 == 11
        tagging.begin(row, standing, schedule.agreement)
        if number % 16 == 13:
            row.deleted_at = now - timedelta(hours=1)
        tagging.tag(row, standing, schedule)
        rows.append(row)
    return Conversation.objects.bulk_create(rows)


def carry_on() -> None:
    """Every re-tag that is under way comes to its end."""
    for pk in list(Retagging.objects.open().order_by("pk").values_list("pk", flat=True)):
        assert retagging.work(pk)
