"""Listening to the control stream, for processes that follow nothing else."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from redis.exceptions import RedisError

from chat.journal import connection, control, replies

logger = logging.getLogger(__name__)


async def listen(obey: Callable[[control.Command], Awaitable[None]]) -> None:
    """Hand every command from now on to `obey`, for ever. What is missed while Valkey is away, rows still say."""
    last = b""
    while True:
        try:
            last = last or await control.latest()
            found = await connection.blocking().xread({control.KEY: last}, block=connection.block())
        except (RedisError, OSError) as error:
            logger.warning("control stream unreachable: %s", type(error).__name__)
            await asyncio.sleep(0.5)
            continue
        for _, entries in replies.by_stream(found):
            for entry, fields in entries:
                last = entry
                await obey(control.parse(fields))
