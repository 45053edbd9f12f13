"""Services that refuse, break off, fall silent or are not there: a code for each, and none of their words."""

import asyncio
import time
from typing import Any

import pytest
from aiohttp import web

from chat.providers.base import FailureCode
from chat.providers.errors import failure
from tests.model_services import (
    ALICE_ASKS,
    CLAUDE_OPENS,
    SECRET,
    Handler,
    asked,
    chunk,
    claude,
    provider,
    refuses,
    says,
    serving,
    sse,
    told,
)

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


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        ("openai", chunk(" and no further", "length")),
        ("openai", chunk(" and no further") + chunk(None, "length")),
        (
            "anthropic",
            claude(" and no further") + sse({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}),
        ),
    ],
)
@pytest.mark.parametrize("then", ["end", "silence"])
def test_an_answer_that_reaches_the_greatest_length_says_so_after_its_last_word(
    kind: str, end: bytes, then: str
) -> None:
    begin = chunk("so far") if kind == "openai" else CLAUDE_OPENS + claude("so far")
    text, error = asked(says(begin, end, then=then), kind)
    assert (text, error.code) == ("so far and no further", "cut_short")


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

    def took(handler: Handler, **patience: Any) -> tuple[str, str, float]:
        started = time.perf_counter()
        text, error = asked(handler, **patience)
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


def test_every_code_has_a_sentence_and_fits_the_column() -> None:
    for code in FailureCode:
        assert code.label.endswith(".") and " " in code.label
        assert len(code.value) <= 20
    assert str(failure(500, {"error": {"type": "server_error"}}, {})) == "broken: 500 server_error"
