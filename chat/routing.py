"""The addresses of sockets."""

from typing import Any

from channels.auth import AuthMiddlewareStack
from django.urls import path, re_path

from chat.consumers import ChatSocket

NOWHERE = 4404


async def nowhere(scope: Any, receive: Any, send: Any) -> None:
    """Any other address: a goodbye that a page can read."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": NOWHERE})


sockets = [
    path("socket/", AuthMiddlewareStack(ChatSocket.as_asgi())),
    re_path("", nowhere),  # type: ignore[arg-type]  # not a view, but an ASGI application
]
