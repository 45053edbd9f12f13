"""What comes before any view: whose page opens a socket, how long a body is, which bytes a cookie holds."""

import logging
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.testing import ApplicationCommunicator, WebsocketCommunicator
from django.test import Client
from django.urls import reverse

from config.asgi import application
from config.bodies import MOST_BYTES
from config.logs import WithoutIds
from config.origins import allowed
from tests.people import alice

# --- Origins ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "host", "opens"),
    [
        ("http://localhost:8000", "localhost:8000", True),
        ("https://localhost:8000", "localhost:8000", True),
        ("http://127.0.0.1", "127.0.0.1", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://localhost:9999", "localhost:8000", False),
        ("http://localhost", "localhost:8000", False),
        ("http://127.0.0.1:8000", "localhost:8000", False),
        ("ftp://localhost:8000", "localhost:8000", False),
        ("localhost:8000", "localhost:8000", False),
        ("http://evil@localhost:8000", "localhost:8000", False),
        ("http://localhost:8000/", "localhost:8000", False),
        ("http://localhost:8000.evil.example", "localhost:8000", False),
        ("null", "localhost:8000", False),
        ("", "localhost:8000", False),
        ("http://", "", False),
        ("http://evil.example", "evil.example", False),  # a name that was made to lead here
        ("http://evil@localhost", "evil@localhost", False),
    ],
)
def test_a_socket_is_opened_by_pages_of_the_same_origin(settings: Any, origin: str, host: str, opens: bool) -> None:
    settings.ALLOWED_HOSTS, settings.PUBLIC_ORIGIN = ["localhost", "127.0.0.1", "[::1]"], ""
    assert allowed(origin, host) is opens


@pytest.mark.parametrize(
    ("origin", "opens"),
    [
        ("https://chat.example.org", True),
        ("http://chat.example.org", False),
        ("https://chat.example.org:444", False),
        ("https://chat.example.org.evil.example", False),
        ("null", False),
    ],
)
def test_where_the_public_origin_is_known_it_is_the_only_one(settings: Any, origin: str, opens: bool) -> None:
    settings.ALLOWED_HOSTS, settings.PUBLIC_ORIGIN = ["chat.example.org"], "https://chat.example.org"
    assert allowed(origin, "chat.example.org") is opens


def knock(path: str, *headers: tuple[bytes, bytes]) -> tuple[bool, Any]:
    async def scene() -> tuple[bool, Any]:
        socket = WebsocketCommunicator(application, path, headers=list(headers))
        answer: tuple[bool, Any] = await socket.connect()
        if answer[0]:
            answer = (True, (await socket.receive_output(5))["code"])
        return answer

    return async_to_sync(scene)()


HOST, ORIGIN = (b"host", b"localhost"), (b"origin", b"http://localhost")


def test_foreign_pages_are_refused_before_anything_is_looked_up() -> None:
    assert knock("/socket/", HOST, (b"origin", b"http://localhost:9999"))[0] is False
    assert knock("/socket/", HOST)[0] is False
    assert knock("/socket/", HOST, ORIGIN, (b"origin", b"http://evil.example"))[0] is False


@pytest.mark.django_db
@pytest.mark.usefixtures("socket_sees_rows")
def test_own_pages_reach_the_socket() -> None:
    assert knock("/socket/", HOST, ORIGIN) == (True, 4401)


@pytest.mark.parametrize("path", ["/", "/socket", "/socket/more", "/chat/"])
def test_a_socket_to_nowhere_is_told_so(path: str) -> None:
    assert knock(path, HOST, ORIGIN) == (True, 4404)


# --- Bodies ---------------------------------------------------------------------


def post(chunks: list[bytes], *headers: tuple[bytes, bytes]) -> tuple[int, bytes, int]:
    """Status, body, and how many chunks were not asked for; the headers are those of any page."""

    async def scene() -> tuple[int, bytes, int]:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": "/account/login/",
            "raw_path": b"/account/login/",
            "query_string": b"",
            "headers": [HOST, *headers],
        }
        page = ApplicationCommunicator(application, scope)
        for number, chunk in enumerate(chunks, 1):
            await page.send_input({"type": "http.request", "body": chunk, "more_body": number < len(chunks)})
        start = await page.receive_output(10)
        guards = {name.lower().decode(): value.decode() for name, value in start["headers"]}
        assert "default-src 'none'" in guards["content-security-policy"]
        assert (guards["x-content-type-options"], guards["x-frame-options"]) == ("nosniff", "DENY")
        assert guards["referrer-policy"] == "same-origin"
        body = (await page.receive_output(5))["body"]
        await page.wait(5)
        return start["status"], body, page.input_queue.qsize()

    return async_to_sync(scene)()


def test_an_announced_body_that_is_too_long_is_not_read() -> None:
    status, body, unread = post([b"x"], (b"content-length", str(MOST_BYTES + 1).encode()))
    assert (status, unread) == (413, 1)
    assert b"too much at once" in body


def test_a_body_that_grows_too_long_is_read_no_further() -> None:
    chunks = [b"x" * 1_000_000] * 6
    status, _, unread = post(chunks)
    assert (status, unread) == (413, 2)


def test_a_body_within_bounds_reaches_the_page() -> None:
    assert post([b"a=" + b"x" * 1_000_000] * 2)[0] == 403  # for want of the form's token


# --- Cookies, characters, logs -------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "cookie", [r'"aaaaaaaaaaaaaaaa\000bbbbbbbbbbbbbbb"', r'"\000"', "x" * 10_000, "A" * 32, "ä" * 32, ""]
)
def test_a_cookie_that_is_no_session_is_no_session(cookie: str) -> None:
    client = Client(headers={"cookie": f"sessionid={cookie}"})
    assert client.get("/").status_code == 200
    assert client.get(reverse("accounts:profile")).status_code == 302


@pytest.mark.django_db
def test_a_session_is_a_session(client: Client) -> None:
    client.force_login(alice())
    assert client.get(reverse("accounts:profile")).status_code == 200


KINDS = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain"]
STRANGE = ["utf-7", "utf-16", "base64", "idna", "none", "", '"utf-7"', "utf-8, utf-7"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("charset", [*(f"charset={name}" for name in STRANGE), "charset*=none''x", "CHARSET=utf-7"])
def test_only_utf_8_is_understood(kind: str, charset: str) -> None:
    status, body, _ = post([b"login=+AAA-"], (b"content-type", f"{kind}; {charset}".encode()))
    assert status == 400
    assert b"<h1>" in body


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "utf8"])
def test_utf_8_is_understood(charset: str) -> None:
    assert post([b"login=a"], (b"content-type", f"{KINDS[0]}; charset={charset}".encode()))[0] == 403  # no token


def test_logs_name_no_conversation(settings: Any) -> None:
    record = logging.LogRecord(
        "django.request",
        logging.WARNING,
        "",
        0,
        "Not Found: %s",
        ("/chat/6f1c4a52-6f0f-4c39-9f3c-0d5b0a1f2e3d/",),
        None,
    )
    assert WithoutIds().filter(record)
    assert record.getMessage() == "Not Found: /chat/…/"
    assert settings.LOGGING["loggers"]["django"]["handlers"] == ["django"]
    assert settings.LOGGING["handlers"]["django"]["filters"] == ["without ids"]
