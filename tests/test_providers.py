"""Providers against real servers: bytes in any chunking, what is sent, joining, letting go."""

import asyncio
import time
from typing import Any

import pytest
from aiohttp import web

from chat.providers.base import FailureCode, ProviderError, Request, Turn, provider_for
from chat.providers.sse import MAX_LINE, EventReader
from tests.model_services import (
    ALICE_ASKS,
    CLAUDE_ENDS,
    CLAUDE_OPENS,
    DONE,
    asked,
    chunk,
    claude,
    provider,
    says,
    serving,
    sse,
    told,
)

HARD = 'naïve 👩‍👩‍👧‍👦 日本語 \u2028 \\n "quoted" data: [DONE]\r\n\r\n: end'


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
    "end", [chunk(None, "stop"), chunk(None, "stop") + DONE, DONE, b"data: [DONE]", chunk("", "stop").strip()]
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
