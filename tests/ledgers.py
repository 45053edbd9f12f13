"""A ledger in tests: events that are about nobody, and what checking all of it finds."""

from privacy import ledger
from privacy.evidence import heads, keys, verification
from privacy.models import Event
from privacy.vocabulary import Act, Source


def recorded(number: int = 1) -> list[Event]:
    """So many events have been recorded, about nobody."""
    return ledger.record_all(
        [ledger.Entry(Act.PURGED, detail={"count": n}) for n in range(number)], source=Source.SWEEP
    )


def public() -> dict[str, str]:
    """The public keys by id, followed from the first."""
    return heads.verify_keys(keys.listed())


def bad() -> list[str]:
    """The first bad row of each check that finds one."""
    return [finding.bad for finding in verification.verify(show=lambda check, rows: None) if finding.bad]
