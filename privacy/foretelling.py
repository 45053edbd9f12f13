"""What the next run of the sweep would purge and why, in prose and numbers. Changes nothing."""

from collections.abc import Iterator

from django.conf import settings

from accounts import clock
from privacy import breaker
from privacy.holdings import tagged_holdings
from privacy.models import SweepStop
from privacy.vocabulary import Reason, RetentionClass


def foretell() -> Iterator[str]:
    """Line by line."""
    now = clock.now()
    yield f"If the sweep ran now ({now:%Y-%m-%d %H:%M} UTC):"
    deleted = sum(rows.count() for rows in breaker.deleted(now))
    yield f"{deleted:,} conversations would be purged because people deleted them, whatever else holds."
    due = 0
    for group in breaker.groups(now):
        due += group["count"]
        yield f"{group['count']:,} would be purged because they have come to the end of their class:"
        yield f"    class “{group['tag_class']}”: {RetentionClass(group['tag_class']).sentence}"
        yield f"    training “{group['tag_reason']}”: {Reason(group['tag_reason']).sentence}"
        yield f"    the one that is due for longest since {group['oldest']}; for example {', '.join(group['keys'])}"
    yield f"That is {due:,} of {breaker.live():,} live conversations. {_ruling(due)}"
    yield _stays()


def _ruling(due: int) -> str:
    now = clock.now()
    permit = SweepStop.objects.permitting(now).first()
    doubt = breaker.doubt(now)
    if doubt and due:
        return f"None of them would go before staff says so, for the clock is in doubt: {doubt}."
    if permit:
        return f"Staff said at {permit.answered_at:%Y-%m-%d %H:%M} that {permit.left:,} of them may go."
    if breaker.many(due):
        limits = f"{settings.SWEEP_LIMIT_PERCENT:g} % and {settings.SWEEP_LIMIT_COUNT:,}"
        return f"None of them would go before staff says so, for they are more than {limits}."
    return "The breaker lets them through."


def _stays() -> str:
    now, held, stale = clock.now(), 0, 0
    for _holding, model in tagged_holdings():
        rows = model._default_manager
        held += rows.filter(held=True).count()
        ended = rows.filter(purge_after__lte=now, held=False)
        stale += ended.count() - rows.due(now).count()  # type: ignore[attr-defined]
    return f"{held:,} are held and stay. {stale:,} are due by a tag of an earlier answer and wait for their new one."
