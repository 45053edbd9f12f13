"""The threads in which sockets ask the database. Channels shares one among all sockets of a process by default, so that
twenty questions of one moment would wait for one another; these few take a connection from the pool for each call.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

from channels.db import database_sync_to_async
from django.conf import settings

P = ParamSpec("P")
R = TypeVar("R")


async def in_database(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """A short call that may use the database; its connection goes back afterwards."""
    threads = settings.SOCKET_THREADS
    call = (
        database_sync_to_async(function, thread_sensitive=False, executor=_pool(threads))
        if threads
        else database_sync_to_async(function)
    )
    answer: R = await call(*args, **kwargs)
    return answer


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="socket")
