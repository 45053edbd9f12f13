"""What a legal hold does to the rows that it covers, as of the moment of placing or releasing it (privacy/holds.py)."""

from datetime import datetime
from typing import Any

from django.db.models import Q

from privacy import tagging
from privacy.models import Hold


def settle(hold: Hold, rows: Any, at: datetime) -> None:
    """Mark these rows, which `hold` covers, as held, or where it was released at that moment, let go what no other
    hold covered then. Their tags do not say so yet.
    """
    if hold.released_at is None or hold.released_at > at:
        rows.filter(held=False).update(held=True)
    else:
        _let_go(rows, at)


def settle_all(rows: Any, at: datetime) -> list[int]:
    """Let these rows be held by what stands, and by nothing else; returns the primary keys of those that were not."""
    standing = Hold.objects.standing().covered(rows.model._meta.label_lower)
    bare, free = rows.filter(standing, held=False), rows.filter(held=True).exclude(pk__in=_still_held(rows.model, at))
    wrong = [*bare.values_list("pk", flat=True), *free.values_list("pk", flat=True)]
    if wrong:
        bare.update(held=True)
        _let_go(rows, at)
    return wrong


def _let_go(rows: Any, at: datetime) -> None:
    free = rows.filter(held=True).exclude(pk__in=_still_held(rows.model, at))
    tagging.give_notice(free, at)
    free.update(held=False)


def _still_held(model: Any, at: datetime) -> Any:
    """What the holds that stood cover. Not by `exclude` of the condition itself: NULL authors would fall out of it."""
    covered: Q = Hold.objects.standing_at(at).covered(model._meta.label_lower)
    return model._default_manager.filter(covered).values("pk")
