"""What Django takes for granted of a request before anything of ours has seen it: its length and its characters.

It reads a body to its end, onto the disk, before it asks who sent it; and it believes whatever character set is named,
though some of Python's are no text at all.
"""

from typing import Any

from csp.utils import build_policy
from django.conf import settings
from django.template import loader
from django.utils.http import parse_header_parameters

MOST_BYTES: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
UTF_8 = {"utf-8", "utf8"}


class TooLong(Exception):
    """More came than is taken."""


class BoundedBodies:
    """An ASGI application around another for pages: refuses what is too long (413) or not in UTF-8 (400), unread."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        received = 0

        async def counted() -> Any:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MOST_BYTES:
                raise TooLong
            return message

        if not _is_utf_8(scope):
            await _refuse(send, 400)
        elif _announced(scope) > MOST_BYTES:
            await _refuse(send, 413)
        else:
            try:
                await self.application(scope, counted, send)
            except TooLong:  # before any answer has begun: the whole body is read first
                await _refuse(send, 413)


def _header(scope: Any, name: bytes) -> str:
    """As Django puts together one that comes more than once."""
    return ",".join(value.decode("latin1") for header, value in scope["headers"] if header.lower() == name)


def _announced(scope: Any) -> int:
    """Content-Length, or 0; servers refuse what is no number."""
    value = _header(scope, b"content-length")
    return int(value[:20]) if value.isdecimal() else 0


def _is_utf_8(scope: Any) -> bool:
    try:
        _, parameters = parse_header_parameters(_header(scope, b"content-type"))
    except (LookupError, ValueError):  # `charset*=nonsense''…`
        return False
    return parameters.get("charset", "utf-8").strip().lower() in UTF_8


async def _refuse(send: Any, status: int) -> None:
    """The product's page, and an end to the connection: whatever else is under way is not wanted."""
    page = loader.render_to_string(f"{status}.html").encode()
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-length": str(len(page)),
        "connection": "close",
        # No middleware sees this answer: what every other page carries is put on here.
        "content-security-policy": build_policy(),
        "x-content-type-options": "nosniff",
        "x-frame-options": settings.X_FRAME_OPTIONS,
        "referrer-policy": settings.SECURE_REFERRER_POLICY,
    }
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": page})
