"""Addresses for whoever minds the product: `/healthz` (this process lives), `/readyz` (a question can be answered), and
`/metrics` (config/metrics.py).

They are answered before any other middleware: a probe has no session, names the machine rather than an allowed host,
and comes without TLS. No secret, no address and no text is in the answer.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import psycopg
import redis.asyncio
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.decorators import sync_and_async_middleware

from config import liveness
from config.metrics import metrics

TIME_OUT = 2.0
# The model's server may be somebody else's and may count requests.
MODEL_ASKED_EVERY = 10.0
ROUND_HOLDS = 0.5

State = dict[str, str]
Check = Callable[[], Awaitable[Any]]
Report = dict[str, Any]
_round: asyncio.Task[Report] | None = None
_round_began = 0.0
_model_seen_at = float("-inf")


@login_not_required
async def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("alive\n", content_type="text/plain")


@login_not_required
async def readyz(request: HttpRequest) -> JsonResponse:
    report = await _shared_report()
    response = JsonResponse(report, status=200 if report["ready"] else 503)
    response.headers["Cache-Control"] = "no-store"
    # A probe asks every few seconds: "not yet" is an answer, not an error for the log.
    setattr(response, "_has_been_logged", True)  # noqa: B010 (an attribute that the type does not declare)
    return response


@sync_and_async_middleware
def HealthMiddleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Answers these addresses first, and hands everything else on."""
    views: dict[str, Callable[[HttpRequest], Awaitable[HttpResponseBase]]] = {
        "/healthz": healthz,
        "/readyz": readyz,
        "/metrics": metrics,
    }

    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> HttpResponseBase:
            view = views.get(request.path)
            response: HttpResponseBase = await (view or get_response)(request)
            return response

        return asynchronous

    def synchronous(request: HttpRequest) -> HttpResponseBase:
        view = views.get(request.path)
        response: HttpResponseBase = async_to_sync(view)(request) if view else get_response(request)
        return response

    return synchronous


async def _shared_report() -> Report:
    """One round of checks serves everybody who asks within a second, so that asking often costs nothing."""
    global _round, _round_began
    loop = asyncio.get_running_loop()
    if _round is None or _round.get_loop() is not loop or loop.time() - _round_began > ROUND_HOLDS:
        _round, _round_began = loop.create_task(_report()), loop.time()
    return await asyncio.shield(_round)


async def _report() -> Report:
    database, workers, model = await asyncio.gather(_state(_database), _workers(), _state(_model))
    ready = all(state["state"] == "ok" for state in (database, workers["redis"], *workers["workers"].values(), model))
    return {"ready": ready, "database": database, **workers, "model": model}


async def _state(check: Check) -> State:
    """`ok`, or `down` with the kind of failure (its text may hold an address)."""
    began = time.monotonic()
    try:
        await asyncio.wait_for(check(), TIME_OUT)
    except Exception as error:
        return {"state": "down", "reason": type(error).__name__}
    return {"state": "ok", "milliseconds": str(round((time.monotonic() - began) * 1000))}


async def _database() -> None:
    connection = await psycopg.AsyncConnection.connect(settings.DATABASE_URL, connect_timeout=int(TIME_OUT))
    async with connection:
        await connection.execute("SELECT 1")


async def _workers() -> dict[str, Any]:
    """Redis, and the workers, of whom it knows."""
    alive: list[bytes | str | None] = [None] * len(liveness.QUEUES)

    async def ask() -> None:
        client = redis.asyncio.Redis.from_url(settings.REDIS_URL)
        async with client:
            alive[:] = await client.mget([liveness.key(queue) for queue in liveness.QUEUES])

    broker = await _state(ask)
    states = {queue: {"state": "ok" if seen else "down"} for queue, seen in zip(liveness.QUEUES, alive, strict=True)}
    return {"redis": broker, "workers": states}


async def _model() -> None:
    """Any answer but the server's own failure: a wrong key shows in the transcript, with words."""
    global _model_seen_at
    model = settings.MODEL
    if model["provider"] == "scripted" or time.monotonic() - _model_seen_at < MODEL_ASKED_EVERY:
        return
    if not model["url"]:
        raise ImproperlyConfigured("MODEL_URL")
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {model['key']}"}
        async with session.get(f"{model['url'].rstrip('/')}/models", headers=headers) as answer:
            if answer.status >= 500:
                raise ConnectionError
    _model_seen_at = time.monotonic()
