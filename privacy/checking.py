"""Are the tags true? Every stored tag is compared with the policy, in chunks; what differs is counted, not changed.

Set-based for everybody (privacy/truth.py), or one row after the other by `policy.verdict` itself (`slow`), which shares
nothing with the first but the policy: the two look at each other. A chunk reads one snapshot, and what changes a fact
changes the tag in the same transaction, so that nothing which happens meanwhile is taken for drift.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F

from accounts import clock
from privacy import policy, standings, truth
from privacy.holdings import tagged_holdings
from privacy.models import Flag, Hold, Standing, TagCheck, Tagged

CHUNK = 20_000
EXAMPLES = 20  # of public keys, in all


def never() -> bool:
    return False


def check(
    *, slow: bool = False, record: bool = True, chunk: int = CHUNK, stopping: Callable[[], bool] = never
) -> TagCheck:
    """Compare all tags; returns what was found, stored as a row if `record`. Nothing else is written."""
    found, book = TagCheck(started_at=clock.now(), slow=slow), truth.Book()
    if record:
        found.save()
    for _holding, model in tagged_holdings():
        for keys in _pages(model, chunk):
            if stopping():
                return found
            with _one_moment():
                _note(found, model, _slow(model, keys) if slow else _fast(model, keys, book))
                judged = truth.judged(truth.of(model, keys)).count()
            found.checked += judged
            found.waiting += len(keys) - judged
            if record:
                found.save()
    found.finished_at = clock.now()
    if record:
        found.save()
    return found


def _pages(model: type[Tagged], chunk: int) -> Iterator[list[int]]:
    last, rows = 0, model._default_manager.order_by("pk")
    while keys := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:chunk]):
        yield keys
        last = keys[-1]


@contextmanager
def _one_moment() -> Iterator[None]:
    """One snapshot for all statements, where no transaction is under way."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _note(found: TagCheck, model: type[Tagged], drifted: Mapping[int, set[str]]) -> None:
    """Count it, by what the rows say now, and remember the keys of the first few."""
    columns, reasons = Counter(found.by_column), Counter(found.by_reason)
    rows = truth.of(model, drifted).order_by("pk").values_list("pk", "public_id", "tag_class", "tag_reason")
    for pk, key, tag_class, reason in rows if drifted else ():
        found.drifted += 1
        columns.update(drifted[pk])
        reasons[f"{tag_class}, {reason}"] += 1
        if len(found.examples) < EXAMPLES:
            said = {"kind": model._meta.label_lower, "key": str(key), "columns": sorted(drifted[pk])}
            found.examples.append(said)
    found.by_column, found.by_reason = dict(columns), dict(reasons)


# --- Set-based -----------------------------------------------------------------------


def _fast(model: type[Tagged], keys: Sequence[int], book: truth.Book) -> Mapping[int, set[str]]:
    """The columns that drifted, by primary key."""
    now, found = clock.now(), defaultdict[int, set[str]](set)
    for group in truth.alike(truth.of(model, keys), book):
        columns = group.columns(now, promises=False)
        for pk, *wrong in group.different(columns).values_list("pk", *truth.differences(model, columns).values()):
            found[pk] |= {name for name, is_wrong in zip(columns, wrong, strict=True) if is_wrong}
    rows = truth.judged(truth.of(model, keys))
    for pk in rows.filter(truth.ended_too_soon(now)).values_list("pk", flat=True):
        found[pk].add("hidden_from")
    for pk in truth.wrongly_flagged(rows).values_list("pk", flat=True):
        found[pk].add("flagged_at")
    covered = truth.of(model, keys).annotate(is_covered=truth.covered(model)).exclude(held=F("is_covered"))
    for pk in truth.judged(covered).values_list("pk", flat=True):
        found[pk].add("held")
    return found


# --- One by one ------------------------------------------------------------------------


def _slow(model: type[Tagged], keys: Sequence[int]) -> Mapping[int, set[str]]:
    """The same by `policy.verdict` for each row, with what its person or workspace says now."""
    now, found = clock.now(), defaultdict[int, set[str]](set)
    rows = truth.judged(truth.of(model, keys)).select_related("author", "workspace__agreed__agreement")
    for row in rows.order_by("pk"):
        whole = Standing.objects.whole().filter(user=row.author).first() if row.workspace.is_personal else None
        standing = standings.as_facts(row.author, whole) if row.workspace.is_personal else policy.Standing()
        schedule = standings.schedule_for(row.workspace, whole)
        wrong = _wrong(row, standing, schedule)
        wrong |= {"hidden_from"} if _ended_too_soon(row, now) else set()
        covered = Hold.objects.over(row).exists() or Hold.objects.standing().filter(key=row.public_id).exists()
        wrong |= {"held"} if covered != row.held else set()
        review = Flag.objects.standing().on(row).first()
        wrong |= {"flagged_at"} if row.flagged_at != (review and review.flagged_at) else set()
        if wrong:
            found[row.pk] = wrong
    return found


def _wrong(row: Tagged, standing: policy.Standing, schedule: policy.Schedule) -> set[str]:
    verdict = policy.verdict(row.facts(standing), standing, schedule)
    said = {
        "tag_class": verdict.retention_class.value,
        "tag_reason": verdict.reason.value,
        "tag_epoch": policy.epoch(standing, schedule.agreement, personal=row.workspace.is_personal),
        "trains_until": verdict.trains_until,
        "hidden_from": verdict.hidden_from,
        "purge_after": verdict.purge_after,
    }
    return {name for name, value in said.items() if getattr(row, name) != value}


def _ended_too_soon(row: Tagged, now: datetime) -> bool:
    """Hidden before its last activity could have been over, under the shortest schedule that there ever was."""
    if row.deleted_at or row.hidden_from is None or row.hidden_from > now:
        return False
    return row.hidden_from < row.last_activity_at + truth.shortest(temporary=row.temporary)
