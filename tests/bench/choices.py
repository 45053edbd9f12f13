"""Deadline day: choices recorded per second over HTTP, beside a bare view behind the same middleware and login.

    uv run manage.py up --data-dir /tmp/parley-bench --port 8390
    uv run python -m tests.bench.choices --data-dir /tmp/parley-bench

Starts web servers of its own on the engines of that `up` and signs people in by rows. The bare view inserts one row.
The aim is a ratio of at least 0.4, and a head of the ledger's tree that is never 60 s behind.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import aiohttp

PORT, PEOPLE, AT_ONCE = 8399, 400, 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True, help="of a running `up`")
    parser.add_argument("-n", type=int, default=PEOPLE, help="people who answer")
    options = parser.parse_args()
    environment = {
        "PARLEY_DATA_DIR": str(options.data_dir.resolve()),
        "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
        "DATABASE_POOL_SIZE": "16",
    }
    os.environ.update(environment)
    import django

    django.setup()
    people = _people(options.n)
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(PORT), "--log-level", "error"],
        env={**os.environ, **environment},
    )
    try:
        asyncio.run(_measure(people))
        print(f"head lag at the end: {_head_lag():.0f} s")
    finally:
        server.terminate()
        server.wait(10)


def _people(count: int) -> list[dict[str, str]]:
    """People who answered earlier terms and owe an answer now: their session, and the form as it was shown to them."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.utils.crypto import get_random_string

    from accounts import clock
    from accounts.models import User
    from accounts.sessions import SessionStore
    from privacy import choices, notices, standings, versions
    from privacy.forms import token_for
    from privacy.models import Standing, Terms
    from privacy.vocabulary import Source, Training

    mark = get_random_string(6)
    users = [User.objects.create_user(f"{mark}{n}@bench.example", date_of_birth=date(1990, 1, 1)) for n in range(count)]
    for user in users:
        owed = standings.owed_terms(user)
        assert owed
        choices.choose(user=user, terms=owed, training=Training.DENY, keep_history=None, source=Source.PAGE)
    now = clock.now()
    draft = {"title": "Bench", "summary": "One thing.", "body": "Text", "deadline": now + timedelta(days=30)}
    terms = versions.seal(Terms.objects.create(slug=f"bench-{mark.lower()}", **draft), now)
    found = []
    for user in users:
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        form, _text = notices.form_for(user, terms, Source.PAGE)
        notice = notices.shown(user, terms, form)
        token = token_for(user, terms, Standing.objects.get(user=user), notice)
        found.append({"session": session.session_key or "", "token": token})
    return found


async def _measure(people: list[dict[str, str]]) -> None:
    await _until_up()
    half = len(people) // 2
    rates: dict[str, list[float]] = {"bare": [], "choice": []}
    # By turns, so that whatever else the machine does falls on both.
    for start in range(0, len(people), 50):
        batch = people[start : start + 50]
        rates["bare"].append(await _rate("/bench/bare", batch, {}))
        rates["choice"].append(await _rate("/privacy/choice/", batch, {"training": "deny"}))
    bare, choice = (statistics.median(rates[name]) for name in ("bare", "choice"))
    print(f"bare view     {bare:7.1f} a second")
    print(f"choices       {choice:7.1f} a second (n={half * 2}, {AT_ONCE} at once)")
    print(f"ratio         {choice / bare:7.2f} (aim: at least 0.4)")


async def _rate(path: str, people: list[dict[str, str]], fields: dict[str, str]) -> float:
    places = asyncio.Semaphore(AT_ONCE)

    async def send(client: aiohttp.ClientSession, person: dict[str, str]) -> None:
        cookies = {"sessionid": person["session"], "csrftoken": "x" * 32}
        data = {"token": person["token"], "csrfmiddlewaretoken": "x" * 32, **fields}
        async with (
            places,
            client.post(f"http://127.0.0.1:{PORT}{path}", data=data, cookies=cookies, allow_redirects=False) as answer,
        ):
            assert answer.status in {204, 302}, (answer.status, (await answer.text())[:500])

    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(cookie_jar=jar) as client:
        begun = time.perf_counter()
        await asyncio.gather(*(send(client, person) for person in people))
        return len(people) / (time.perf_counter() - begun)


async def _until_up() -> None:
    async with aiohttp.ClientSession() as client:
        for _ in range(200):
            try:
                async with client.get(f"http://127.0.0.1:{PORT}/healthz"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
    raise SystemExit("The web server did not come up.")


def _head_lag() -> float:
    """Seconds between now and the signing of the newest head."""
    from accounts import clock
    from privacy.models import TreeHead

    newest: Any = TreeHead.objects.order_by("-pk").first()
    return (clock.now() - newest.at).total_seconds() if newest else float("inf")


if __name__ == "__main__":
    main()
