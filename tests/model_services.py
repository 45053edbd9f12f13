"""Model services that answer and misbehave on demand, and what a person would see of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from chat.providers.anthropic import AnthropicProvider
from chat.providers.base import Provider, ProviderError, Request, Turn
from chat.providers.openai import OpenAIProvider

SECRET = "my sister's diagnosis"  # what Alice wrote, and no exception may repeat
ALICE_ASKS = Request([Turn("system", "Be brief."), Turn("user", SECRET)], model="m")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def says(*parts: bytes, then: str = "end", pause: float = 0.001) -> Handler:
    """Writes `parts` one network packet each, then ends, cuts the connection or falls silent."""

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for part in parts:
            await response.write(part)
            if pause:
                await asyncio.sleep(pause)
        if then == "cut":
            assert request.transport is not None
            request.transport.abort()
        elif then == "silence":
            await asyncio.sleep(30)
        return response

    return handler


def refuses(status: int, body: Any, headers: dict[str, str] | None = None) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text, content_type="application/json", headers=headers)

    return handler


def chunk(text: str | None, finish: str | None = None) -> bytes:
    delta = {} if text is None else {"content": text}
    return sse({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def sse(event: Any) -> bytes:
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


def claude(text: str) -> bytes:
    return b"event: content_block_delta\n" + sse(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    )


CLAUDE_OPENS = sse({"type": "message_start", "message": {"content": []}}) + sse({"type": "ping"})
CLAUDE_ENDS = sse({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}) + sse({"type": "message_stop"})
DONE = b"data: [DONE]\n\n"


async def told(provider: Provider, request: Request = ALICE_ASKS) -> tuple[str, ProviderError | None]:
    """All that a person would see, and the failure it ended with."""
    text = ""
    try:
        async for piece in provider.stream(request):
            assert piece
            text += piece
    except ProviderError as error:
        return text, error
    finally:
        await provider.aclose()
    return text, None


def asked(handler: Handler, kind: str = "openai", request: Request = ALICE_ASKS, **model: Any) -> tuple[str, Any]:
    async def scenario() -> tuple[str, ProviderError | None]:
        async with serving(handler) as url:
            return await told(provider(kind, url, **model), request)

    text, error = asyncio.run(scenario())
    if error:
        chain: BaseException | None = error
        while chain:
            assert SECRET not in f"{chain!s}{chain!r}{vars(chain)}"
            chain = chain.__cause__ or chain.__context__
    return text, error


def provider(kind: str, url: str, **model: Any) -> Provider:
    made = {"openai": OpenAIProvider, "anthropic": AnthropicProvider}[kind]
    return made({"url": url, "key": "secret-key", **model})
