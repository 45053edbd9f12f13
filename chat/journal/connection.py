"""Connections to Valkey: one pool per process for plain code, one per event loop for asynchronous code.

Time-outs are short: the journal is a convenience of the moment and PostgreSQL has the truth, so nobody waits for it.
"""

import asyncio
from functools import cache
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from django.conf import settings

Client = redis.asyncio.Redis
Loop = asyncio.AbstractEventLoop
BLOCK = 10.0  # seconds that a read waits in the server for news
MARGIN = 5.0  # seconds more until a connection that says nothing counts as dead
_writing: "WeakKeyDictionary[Loop, Client]" = WeakKeyDictionary()
_blocking: "WeakKeyDictionary[Loop, Client]" = WeakKeyDictionary()


@cache
def plain() -> redis.Redis:
    """The client of plain code."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=0.5)


def for_loop() -> Client:
    """The running loop's client for calls that answer at once."""
    return _client(_writing, socket_timeout=2)


def blocking() -> Client:
    """The running loop's client for reads that wait in the server, `BLOCK` at most.

    Without a time-out, a peer that vanished without a word would silence everybody who reads here.
    """
    return _client(_blocking, socket_timeout=BLOCK + MARGIN)


def block() -> int:
    """How long such a read waits, as Valkey wants it: in milliseconds."""
    return round(BLOCK * 1000)


def _client(clients: "WeakKeyDictionary[Loop, Client]", socket_timeout: float) -> Client:
    loop = asyncio.get_running_loop()
    if loop not in clients:
        # The blocking kind waits for a free connection; the plain pool fails at its limit.
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            settings.REDIS_URL,
            max_connections=32,
            timeout=2,
            socket_connect_timeout=0.5,
            socket_timeout=socket_timeout,
            # Only connections by TCP know this option.
            **({} if settings.REDIS_URL.startswith("unix:") else {"socket_keepalive": True}),
        )
        clients[loop] = redis.asyncio.Redis(connection_pool=pool)
    return clients[loop]
