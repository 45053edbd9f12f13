"""ASGI entry point: pages by Django, sockets by Channels."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from chat.routing import sockets  # noqa: E402
from config.bodies import BoundedBodies  # noqa: E402
from config.origins import OwnPagesOnly  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": BoundedBodies(pages),
        "websocket": OwnPagesOnly(URLRouter(sockets)),
    }
)
