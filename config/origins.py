"""Sockets are opened by the product's own pages only.

A browser sends the session's cookie along with a WebSocket that any page of the world opens, and says in `Origin` whose
page that is. Host, port and scheme count: another port of this machine is somebody else's.
"""

from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host


class OwnPagesOnly:
    """An ASGI application around another for sockets; what comes from elsewhere is refused (403)."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if allowed(_only(scope, b"origin"), _only(scope, b"host")):
            await self.application(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close"})


def allowed(origin: str, host: str) -> bool:
    """Whether a page of `origin` may open a socket at `host`: only the same, and only under a name that is served."""
    name, _ = split_domain_port(host)
    if not name or not validate_host(name, settings.ALLOWED_HOSTS):
        return False
    if settings.PUBLIC_ORIGIN:
        return origin.lower() == settings.PUBLIC_ORIGIN.lower().rstrip("/")
    return origin.lower() in {f"http://{host}".lower(), f"https://{host}".lower()}


def _only(scope: Any, name: bytes) -> str:
    """The header's value; empty unless it is there exactly once."""
    values = [value for header, value in scope["headers"] if header.lower() == name]
    return values[0].decode("latin1") if len(values) == 1 else ""
