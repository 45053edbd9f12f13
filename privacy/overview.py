"""Everything the privacy page says, put together from its parts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from accounts import clock
from accounts.models import Workspace
from privacy import ends, expiry, foresight, inventory, record, retagging, standings
from privacy.agreements import agreements_of
from privacy.applies import Applies, applies
from privacy.consequences import Consequences
from privacy.models import Standing, Terms
from privacy.reviews import reviews_of
from privacy.vocabulary import Training

if TYPE_CHECKING:
    from accounts.models import User

RECENT = 10  # entries of the record on the page itself


def overview(
    user: "User",
    standing: Standing | None,
    owed: Terms,
    options: Sequence[dict[str, Any]],
    workspaces: Sequence[Workspace],
    *,
    gpc: bool,
) -> dict[str, Any]:
    """What the page's sections need. The number of queries does not grow with that of chats, nor of events."""
    now = applies(user, standing, owed, at=clock.now(), gpc=gpc)
    facts = standings.as_facts(user, standing)
    chats = foresight.chats_of(user, facts, owed.schedule)
    today = standings.schedule_of(standing)
    foretold = Consequences(chats, facts, today, owed.schedule)
    moments = list(record.moments_of(user)[: RECENT + 1])
    return {
        "applies": now,
        "because_door": record.door(now.because.source) if now.because else "",
        "stands": stands(now, standing, owed),
        "options": [one | _beside(one, foretold, now) for one in options],
        "foretold_history": foretold.of_history(),
        "classes": inventory.by_class(chats),
        "retagging": retagging.progress(user),
        "soon": ends.ending(user, ends.horizon(ends.WEEK, clock.now())),
        "mails_wanted": expiry.mails_wanted(user),
        "agreements": agreements_of(user, workspaces),
        "reviews": reviews_of(user),
        "record": record.entries(user, moments[:RECENT]),
        "more_recorded": len(moments) > RECENT,
    }


def stands(now: Applies, standing: Standing | None, owed: Terms) -> str:
    """A name for what stands: an open page whose own differs is out of date."""
    return f"{(standing or Standing()).state}/{owed.digest[:16]}/{now.state}/{now.asked}"


def _beside(option: dict[str, Any], foretold: Consequences, now: Applies) -> dict[str, Any]:
    """What is said beside one of the two answers."""
    training = Training(option["value"])
    return {"foretold": foretold.of_each_history(training), "stands": now.training is training}
