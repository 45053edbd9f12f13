"""Tagging everybody anew: after a change of the policy, or where tags have drifted.

An act of staff or of an operator, for a reason, in the ledger. A worker goes through all conversations by primary key,
a chunk and a commit at a time; each row is locked, held against the policy (privacy/truth.py) and written only where it
says something else. An end that would come nearer by it does not come for thirty days, as after any act that is not
the owner's. Killed, it goes on behind the last whole chunk. Twice at once is harmless.

A row that somebody has in hand is passed over at first and waited for afterwards by itself: whoever waits for one row
while holding others would let a choice run into a deadlock.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Q

from accounts import clock
from privacy import held, ledger, retagging, tagging, truth
from privacy.canonical import moment
from privacy.holdings import tagged_holdings
from privacy.models import Flag, Hold, Retagging, Tagged
from privacy.vocabulary import Act, Source

if TYPE_CHECKING:
    from accounts.models import User

CHUNK = 20_000


@transaction.atomic
def ask(reason: str, *, by: "User | None" = None, queued: bool = True) -> Retagging:
    """Have every tag held against the policy; without `by` it is the operator's act. Not twice at once: one that is
    under way is returned.
    """
    under_way = Retagging.objects.open().filter(workspace__isnull=True).first()
    if under_way:
        return under_way
    total = sum(model._default_manager.count() for _, model in tagged_holdings())
    step = Retagging.objects.create(reason=reason.strip(), total=total)
    source = Source.ADMIN if by else Source.OPERATOR
    ledger.record(Act.RETAG_ASKED, source=source, actor=by, detail={"retagging": step.pk, "reason": step.reason})
    if queued:
        transaction.on_commit(lambda: retagging.queue(step.pk), robust=True)
    return step


def work(step: Retagging, stopping: Callable[[], bool]) -> bool:
    """Go on with one; says whether it is done. `stopping` is asked between chunks."""
    book = truth.Book()
    for _holding, model in tagged_holdings():
        while keys := _next(step, model):
            if stopping():
                return False
            _chunk(step, model, keys, book)
            _note(step, model, keys)
    _finish(step)
    return True


def _next(step: Retagging, model: type[Tagged]) -> list[int]:
    step.refresh_from_db()
    rows = model._default_manager.filter(pk__gt=step.reached.get(model._meta.label_lower, 0)).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:CHUNK])


def _chunk(step: Retagging, model: type[Tagged], keys: Sequence[int], book: truth.Book) -> None:
    rows = model._default_manager.filter(pk__range=(keys[0], keys[-1]))
    free = _repaired(step, rows, book, skip_locked=True)
    for key in sorted(set(keys) - free):
        _repaired(step, rows.filter(pk=key), book, skip_locked=False)
    # PostgreSQL notes in a row that it was committed when it is read next; with checksums, that logs its page whole
    # again, unless that was done a moment ago. Read at once, a re-tag of all writes a quarter less log.
    rows.count()


@transaction.atomic
def _repaired(step: Retagging, rows: Any, book: truth.Book, **how: bool) -> set[int]:
    """The keys of those of these rows that could be locked, as the policy has them now.

    The locks come first: a choice that commits after the answers were read here still has these rows to write. Most
    often no row is strange, and nothing more is asked of it.
    """
    now = clock.now()
    strange = truth.ended_too_soon(now) | Q(held=True) | Q(flagged_at__isnull=False)
    locked = rows.annotate(strange=truth.whether(strange)).order_by("pk").select_for_update(of=("self",), **how)
    free = dict(locked.values_list("pk", "strange"))
    unsettled = any(free.values()) or Hold.objects.standing().exists() or Flag.objects.standing().exists()
    if written := _repair(truth.of(rows.model, free), unsettled, book, now):
        Retagging.objects.filter(pk=step.pk).update(changed=F("changed") + written)
    return set(free)


def _repair(rows: Any, unsettled: bool, book: truth.Book, now: datetime) -> int:
    """Let these locked rows say what the policy says; returns how many did not."""
    settled = _settled(rows, now) if unsettled else set()
    written = len(settled)
    for group in truth.alike(rows, book):
        columns = group.columns(now, promises=True)
        different = group.different(columns)
        written += different.exclude(pk__in=settled).update(**columns)
        if settled:
            different.filter(pk__in=settled).update(**columns)
    return written


def _settled(rows: Any, now: datetime) -> set[int]:
    """Those whose facts were wrong, and are right now: an end, a hold, a review."""
    truth.judged(rows.filter(truth.ended_too_soon(now))).update(hidden_from=None)
    return {*held.settle_all(truth.judged(rows), now), *_reviewed(rows, now)}


def _reviewed(rows: Any, now: datetime) -> list[int]:
    """Those that say now what review they are under, or that they are under none any more."""
    wrong = list(truth.judged(truth.wrongly_flagged(rows)).values_list("pk", flat=True))
    if wrong:
        review, mine = truth.review(rows.model), truth.of(rows.model, wrong)
        tagging.give_notice(mine.alias(review=review).filter(review__isnull=True), now)
        mine.update(flagged_at=review)
    return wrong


def _note(step: Retagging, model: type[Tagged], keys: Sequence[int]) -> None:
    """How far it has come; whoever else has noted these keys has counted them."""
    before = dict(step.reached)
    after = {**before, model._meta.label_lower: keys[-1]}
    mine = Retagging.objects.open().filter(pk=step.pk, reached=before)
    mine.update(reached=after, done=F("done") + len(keys), worked_at=clock.now())


@transaction.atomic
def _finish(step: Retagging) -> None:
    now = clock.now()
    if not Retagging.objects.open().filter(pk=step.pk).update(finished_at=now):
        return
    step.refresh_from_db()
    detail = {"retagging": step.pk, "conversations": step.done, "changed": step.changed, "asked_at": moment(step.at)}
    ledger.record(Act.RETAGGED, source=Source.SCHEDULE, detail=detail)
