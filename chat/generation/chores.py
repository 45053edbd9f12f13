"""Chores that go on for as long as their process does, whatever happens in one round of them."""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

PAUSE = 0.5  # seconds after a failure


async def forever(chore: Callable[[], Awaitable[None]]) -> None:
    """Run `chore`; when it fails, note it and run it again. Ends by cancellation only."""
    while True:
        try:
            await chore()
        except Exception as failure:
            note(f"a chore failed and goes on ({getattr(chore, '__name__', chore)})", failure)
        await asyncio.sleep(PAUSE)


def note(what: str, failure: BaseException) -> None:
    """Log a failure by kind and place. Its own words may quote a row or a model, and with them what people wrote."""
    place = "".join(traceback.format_tb(failure.__traceback__))
    logger.error("%s: %s\n%s", what, type(failure).__name__, place)
