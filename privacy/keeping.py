"""Keeping chats and letting them go: a fact of each chat. It never makes anything train, and is nobody's choice in the
ledger; the wish to keep the whole history is (privacy/choices.py).

A chat that is let go does not end for thirty days, whatever its class would say; one that was begun as temporary is
temporary again, which its page says before.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import clock
from accounts.models import Workspace
from privacy import policy, standings, tagging
from privacy.badge import day
from privacy.holdings import tell_standing_changed
from privacy.models import Standing, Tagged
from privacy.selection import Selection, locked
from privacy.vocabulary import RetentionClass

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User


@transaction.atomic
def keep(chosen: Selection) -> int:
    """Keep these until they are let go or deleted; returns how many were not kept before."""
    return _set_kept(chosen, kept=True)


@transaction.atomic
def let_go(chosen: Selection) -> int:
    """Keep these no longer; returns how many were kept before."""
    return _set_kept(chosen, kept=False)


def _set_kept(chosen: Selection, *, kept: bool) -> int:
    """Locks come in the order of a turn: standing, what is agreed on, chats."""
    user = chosen.user
    row = Standing.objects.for_turn(user.pk)
    standing, changed = standings.as_facts(user, row), 0
    for _holding, rows in chosen.rows():
        for place in rows.places():  # type: ignore[attr-defined]
            schedule = standings.schedule_for_turn(place, row)
            here: QuerySet[Tagged] = locked(_may_be_kept(rows.filter(workspace=place, kept=not kept), place), place)
            changed += here.update(kept=kept)
            tagging.retag_in(place, here, standing, schedule)  # type: ignore[arg-type]
    if changed:
        tell_standing_changed(user.pk)
    return changed


def _may_be_kept(rows: "QuerySet[Tagged]", place: Workspace) -> "QuerySet[Tagged]":
    """At work the agreement alone says how long, but for what was begun as temporary."""
    return rows if place.is_personal else rows.filter(temporary=True)


# --- What a chat's page offers ----------------------------------------------------


@dataclass(frozen=True)
class Offer:
    """What can be done about keeping one chat, and what would follow."""

    kept: bool
    follows: str


def offer(user: "User", row: Tagged, standing: policy.Standing) -> Offer | None:
    """What is offered for `row`; None where an agreement decides."""
    if not row.workspace.is_personal and not row.temporary:
        return None
    if not row.kept:
        return Offer(False, _keeping(row, standing))
    mine = Standing.objects.whole().filter(user=user).first() if row.workspace.is_personal else None
    return Offer(True, _letting_go(row, standing, standings.schedule_for(row.workspace, mine)))


def _keeping(row: Tagged, standing: policy.Standing) -> str:
    if not row.workspace.is_personal:
        return _("It would be kept as your workspace has agreed, and still never train models.")
    if row.temporary:
        return _("It would stay until you delete it, be listed, and still never train models.")
    if standing.keep_history:
        return _("You keep your whole history. Kept by itself, this chat would stay even if you let that go.")
    return _("It would stay until you delete it or let it go. That changes nothing about training.")


def _letting_go(row: Tagged, standing: policy.Standing, schedule: policy.Schedule) -> str:
    end = end_if_let_go(row, standing, schedule)
    if end is None:
        return _("Let go, it stays all the same: you keep your whole history.")
    if row.temporary and end <= clock.now():
        return _("It was begun as temporary. Let go, it disappears at once.")
    return _("Let go, it stays until %(day)s.") % {"day": day(end)}


def end_if_let_go(row: Tagged, standing: policy.Standing, schedule: policy.Schedule) -> datetime | None:
    """When `row` would end; None: not at all. As the re-tag finds it; a test holds the two together."""
    facts = row.facts(standing)
    after = policy.verdict(replace(facts, flags=replace(facts.flags, kept=False)), standing, schedule)
    if after.retention_class is RetentionClass.TEMPORARY or after.hidden_from is None:
        return after.hidden_from
    promised = policy.grace(row.hidden_from, after.hidden_from, clock.now())
    return max(after.hidden_from, promised) if promised else after.hidden_from
