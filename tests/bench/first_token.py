"""How long the first word takes through the whole product, beside the provider alone. Run by hand: docs/benchmarks.md.

    MODEL_PROVIDER=scripted uv run manage.py up --data-dir /tmp/parley-bench --port 8390
    uv run python -m tests.bench.first_token --url http://127.0.0.1:8390

Through the product: from sending the "ask" frame on a socket to the first "piece" frame that has text. Alone: from
calling the scripted provider with the same question to its first piece. Both are taken in the same run, one question
at a time and then many at once, so that what the machine is busy with weighs on both. The promise: at most 25 ms more.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from websockets.asyncio.client import ClientConnection, connect

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
import django

django.setup()

from chat.providers.base import Request, Turn  # noqa: E402
from chat.providers.scripted import ScriptedProvider  # noqa: E402

QUESTION = 'How long does the first word take?\n/script {"words": 50, "delay": 0.02}'
PASSWORD = "staple horse battery correct"
PROMISE = 25.0  # milliseconds
MOST_MESSAGES = 40  # of the Free plan, within its window
ANSWER_WITHIN = 30.0
REST = 0.5  # seconds before each question or group: what follows the last answer (HTML, title) is not measured

Sample = Callable[[int], Awaitable[float]]


@dataclass
class Person:
    """Somebody signed up, who has chosen, with a socket open."""

    workspace: str
    socket: ClientConnection

    async def first_piece(self) -> float:
        """Ask in a new conversation; milliseconds to the first text. The rest of the answer is read, not timed."""
        began = time.perf_counter()
        await self.socket.send(json.dumps(self._ask()))
        first, answer = 0.0, ""
        while True:
            frame = json.loads(await asyncio.wait_for(self.socket.recv(), ANSWER_WITHIN))
            if frame["type"] == "turn":
                answer = frame["answer"]["id"]
            elif frame["type"] == "error":
                raise SystemExit(f"Refused: {frame['message']}")
            elif frame.get("message") == answer and frame["type"] in ("piece", "done"):
                if not first and frame["text"]:
                    first = (time.perf_counter() - began) * 1000
                if frame["type"] == "done":
                    return first

    def _ask(self) -> dict[str, str | None]:
        return {
            "type": "ask",
            "request": str(uuid.uuid4()),
            "workspace": self.workspace,
            "conversation": None,
            "parent": None,
            "text": QUESTION,
        }


async def arrive(url: str, stack: AsyncExitStack) -> Person:
    """Sign up as a stranger would, answer the terms, open a socket."""
    jar = aiohttp.CookieJar(unsafe=True)  # "unsafe": cookies of an address without a name
    session = await stack.enter_async_context(aiohttp.ClientSession(url, cookie_jar=jar))
    await _submit(
        session,
        "/account/signup/",
        email=f"bench-{uuid.uuid4()}@example.org",
        password1=PASSWORD,
        date_of_birth="1990-01-01",
    )
    page = await _submit(session, "/privacy/choice/", training="deny", next="/chat/")
    found = re.search(r'data-workspace="([0-9a-f-]+)"', page)
    if found is None:
        raise SystemExit("Signing up and choosing did not lead to the chat page.")
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in jar)
    socket = await stack.enter_async_context(
        connect(
            f"ws://{urlsplit(url).netloc}/socket/",
            origin=url,  # type: ignore[arg-type]
            additional_headers={"Cookie": cookies},
            compression=None,
        )
    )
    assert json.loads(await socket.recv())["gate"]["state"] == "open"
    return Person(found[1], socket)


async def _submit(session: aiohttp.ClientSession, path: str, **fields: str) -> str:
    """Fill in the form at `path` with the hidden values it came with; returns the page that follows."""
    async with session.get(path) as answer:
        page = await answer.text()
    for hidden in ("csrfmiddlewaretoken", "token"):
        if found := re.search(rf'name="{hidden}" value="([^"]+)"', page):
            fields[hidden] = found[1]
    async with session.post(path, data=fields) as answer:
        if answer.status == 429:
            print("  (the sign-up page limits how many may come from one address; waiting)")
            await asyncio.sleep(20)
            return await _submit(session, path, **fields)
        answer.raise_for_status()
        return await answer.text()


async def alone(_: int) -> float:
    """The provider's own first piece, in milliseconds; the rest is read, as the product reads it."""
    provider = ScriptedProvider({"url": ""})
    began, first = time.perf_counter(), 0.0
    async for piece in provider.stream(Request(turns=[Turn("user", QUESTION)], model="scripted")):
        first = first or (piece and (time.perf_counter() - began) * 1000) or 0.0
    return first


async def take(sample: Sample, count: int, at_once: int) -> list[float]:
    taken: list[float] = []
    for start in range(0, count, at_once):
        await asyncio.sleep(REST)
        taken += await asyncio.gather(*(sample(start + number) for number in range(at_once)))
    return taken


def shown(label: str, sample: list[float]) -> tuple[float, float]:
    middle, late = statistics.median(sample), statistics.quantiles(sample, n=20)[-1]
    print(f"  {label:<22} median {middle:6.1f} ms   p95 {late:6.1f} ms   (n={len(sample)})")
    return middle, late


async def main(url: str, count: int, at_once: int) -> None:
    people_needed = max(at_once, -(-2 * count // MOST_MESSAGES))
    print(f"{people_needed} people sign up; load of the machine before: {os.getloadavg()[0]:.2f}")
    async with AsyncExitStack() as stack:
        people = [await arrive(url, stack) for _ in range(people_needed)]

        async def through_the_product(number: int) -> float:
            return await people[number % len(people)].first_piece()

        await take(through_the_product, people_needed, 1)  # warm: connections, pools, prepared statements
        for together in (1, at_once):
            print(f"\n{together} at a time")
            own = shown("the provider alone", await take(alone, count, together))
            whole = shown("through the product", await take(through_the_product, count, together))
            added, added_late = whole[0] - own[0], whole[1] - own[1]
            verdict = "within" if added <= PROMISE else "over"
            print(f"  {'added':<22} median {added:6.1f} ms   p95 {added_late:6.1f} ms   ({verdict} {PROMISE:.0f} ms)")
    print(f"\nload of the machine after: {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Time to the first word, through the product and without it.")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where a scripted `up` runs")
    parser.add_argument("-n", type=int, default=100, help="questions one at a time, and as many in groups")
    parser.add_argument("--at-once", type=int, default=20, help="questions in one group")
    chosen = parser.parse_args()
    asyncio.run(main(chosen.url.rstrip("/"), chosen.n, chosen.at_once))
