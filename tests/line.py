"""A line between the product and Valkey that a test holds in its hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from chat.journal import connection as valkey


class Line:
    """A line to Valkey that can fall silent without being closed, as when a firewall forgets it."""

    def __init__(self) -> None:
        self._carrying: set[asyncio.Task] = set()
        self._silent: set[asyncio.Task] = set()

    def fall_silent(self) -> None:
        self._silent |= self._carrying

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
        server.close()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _serve(self, near: asyncio.StreamReader, to_near: asyncio.StreamWriter) -> None:
        target = valkey.plain().connection_pool.connection_kwargs
        if "path" in target:
            far, to_far = await asyncio.open_unix_connection(target["path"])
        else:
            far, to_far = await asyncio.open_connection(target["host"], target["port"])
        self._carrying |= {
            asyncio.create_task(self._carry(near, to_far)),
            asyncio.create_task(self._carry(far, to_near)),
        }

    async def _carry(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if asyncio.current_task() not in self._silent:
                    to.write(data)
        to.close()


async def hang_up() -> None:
    """Close what the running loop has open towards Valkey."""
    for clients in (valkey._blocking, valkey._writing):
        if client := clients.pop(asyncio.get_running_loop(), None):
            await client.aclose()
            await client.connection_pool.disconnect()
