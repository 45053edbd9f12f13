"""Which workers live: each refreshes a key that expires, so that asking costs one read and silence means absence.

The refresh rides on Celery's own heartbeat, which the worker's main loop sends: a worker that hangs or has lost its
broker stops sending it. One whose engine has come to a standstill writes no answers and says nothing either.
"""

from functools import lru_cache
from typing import Any

import redis
from celery.signals import heartbeat_sent
from django.conf import settings

QUEUES = ("background", "generation")
# Celery's heartbeat comes every two seconds.
LIVES_FOR = 7


def key(queue: str) -> str:
    return f"parley:worker:{queue}"


@lru_cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


@heartbeat_sent.connect
def refresh(sender: Any, **_: Any) -> None:
    """Say that this worker lives. Its queue is the part of its name before the @."""
    from chat.generation.engine import running_engine  # the worker is known before applications have loaded

    engine = running_engine()
    if engine and not engine.alive:
        return
    queue = str(sender.eventer.hostname).partition("@")[0]
    try:
        _redis().set(key(queue), "alive", ex=LIVES_FOR)
    except redis.RedisError:
        return  # the next beat tries again; meanwhile the worker counts as absent, which it is
