"""What a run must leave out of a released set, asked before it starts; that it asked is written down.

Whatever was on a drop list once stays on it, and a member keeps its key when its conversation is purged, so the list
only grows, and "which runs used this conversation?" has one answer for ever.
"""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q

from accounts import clock
from chat.models import Conversation, TrainingMember, TrainingRun, TrainingSet
from chat.training import sealing
from chat.training.outcomes import INCLUDED


class NotReleased(Exception):
    """There is no such set that may be trained on."""


@dataclass(frozen=True)
class Answer:
    """What a run is told. `drop` are the keys that it leaves out, in the column `conversation`."""

    run: TrainingRun
    drop: list[str]

    def as_data(self) -> dict[str, Any]:
        of = self.run.training_set
        return {
            "set": str(of.public_id),
            "manifest": of.manifest_hash,
            "run": self.run.name,
            "checked_at": self.run.checked_at.isoformat(),
            "drop": self.drop,
        }


def check(*, manifest: str, run: str) -> Answer:
    """Which keys of the set with this manifest (its SHA-256) the run must drop. Raises NotReleased."""
    found = TrainingSet.objects.handed_out().filter(manifest_hash=manifest).first() if manifest else None
    if found is None:
        raise NotReleased
    with transaction.atomic():
        # One after the other: two that ask at once are told the same, and the later one no less.
        held = TrainingSet.objects.select_for_update(no_key=True).get(pk=found.pk)
        now = clock.now()
        fresh = [pk for members in sealing.refused(held).values() for pk in members]
        TrainingMember.objects.filter(pk__in=fresh).update(dropped_at=now)
        dropped = TrainingMember.objects.filter(training_set=held, outcome=INCLUDED, dropped_at__isnull=False)
        drop = [str(key) for key in dropped.order_by("pk").values_list("key", flat=True)]
        made = TrainingRun.objects.create(training_set=held, name=run, checked_at=now, to_drop=len(drop))
    return Answer(made, drop)


@dataclass(frozen=True)
class Used:
    """A released set that a conversation is in, and how many runs were told that they might use it.

    `exchanges` is how many of its exchanges are in it by a permission of their own; 0 where it is in it as a whole.
    """

    training_set: TrainingSet
    runs: int
    exchanges: int


def used_in(conversation: Conversation) -> list[Used]:
    """The released sets that a conversation is in, for its person."""
    members = TrainingMember.objects.filter(
        conversation=conversation, outcome=INCLUDED, training_set__in=TrainingSet.objects.handed_out()
    )
    before = Q(dropped_at__isnull=True) | Q(training_set__runs__checked_at__lt=F("dropped_at"))
    counted = members.annotate(count=Count("training_set__runs", filter=before)).select_related("training_set")
    in_each = groupby(counted.order_by("training_set", "pk"), key=lambda member: member.training_set)
    return [_used(training_set, list(some)) for training_set, some in in_each]


def _used(training_set: TrainingSet, members: list[Any]) -> Used:
    exchanges = sum(member.message_id is not None for member in members)
    return Used(training_set, max(member.count for member in members), exchanges)


def runs_of(key: str) -> list[TrainingRun]:
    """The runs that used the conversation of this key."""
    members = TrainingMember.objects.filter(key=key, outcome=INCLUDED)
    return [
        run
        for member in members
        for run in TrainingRun.objects.filter(training_set=member.training_set_id).order_by("pk")
        if member.dropped_at is None or run.checked_at < member.dropped_at
    ]
