"""What the providers that speak HTTP share: connections, and one loop from bytes to pieces."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import aiohttp
import orjson

from chat.providers.base import Request, Seam, without_trailing_space
from chat.providers.errors import FailureCode, ProviderError, failure, loads
from chat.providers.patience import Patience
from chat.providers.sse import EventReader

CONNECT_SECONDS = 5.0
FIRST_TOKEN_SECONDS = 120.0
SILENCE_SECONDS = 60.0
ERROR_BODY_BYTES = 65_536
# After its last event a connection can serve the next request, if the body is read to the end. The end is
# normally there already; a service that keeps the stream open does not hold the answer up.
LAST_READ_SECONDS = 0.05

Ending = bool | FailureCode  # of an event: not the last, the last, or the last for a reason that people are told


class HTTPProvider(ABC):
    """A service that answers POST with server-sent events. Subclasses say what is sent and how it is read."""

    path = ""

    def __init__(self, model: Mapping[str, Any]) -> None:
        self._url = str(model["url"]).rstrip("/") + self.path
        self._key = str(model.get("key") or "").strip()
        self._first_token_seconds = float(model.get("first_token_seconds") or FIRST_TOKEN_SECONDS)
        self._silence_seconds = float(model.get("silence_seconds") or SILENCE_SECONDS)
        # Whether a service goes on from a beginning cannot be asked, only known: it is configured.
        self.can_continue = bool(model.get("continues", False))
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}

    @abstractmethod
    def headers(self) -> dict[str, str]: ...

    @abstractmethod
    def body(self, request: Request) -> dict[str, Any]: ...

    @abstractmethod
    def read(self, event: dict[str, Any]) -> tuple[str | None, Ending]:
        """What an event adds (None: nothing; "": something unseen, such as thinking), and whether it is the last."""

    async def stream(self, request: Request) -> AsyncGenerator[str, None]:
        request, cut = without_trailing_space(request)
        seam = Seam(cut)
        patience = Patience(self._first_token_seconds, self._silence_seconds)
        response = await self._open(request, patience)
        try:
            patience.watch(response)
            if response.status != 200 or response.content_type == "application/json":
                raise await _failure_of(response)
            reader, complete, failed = EventReader(), False, None
            while not complete:
                chunk = await self._chunk(response, patience)
                text, complete, failed = self._understood(reader, chunk)
                patience.heard(text)
                # What came before a failure, in the same read, still belongs to the reader.
                if text and (text := seam.join(text)):
                    yield text
                if failed and not complete:
                    raise failed
            await _read_to_the_end(response)
            if failed:
                raise failed
        finally:
            patience.end()
            response.close()  # ends an unfinished connection; a finished one went back at its end

    async def aclose(self) -> None:
        session = self._sessions.pop(asyncio.get_running_loop(), None)
        if session:
            await session.close()

    async def _open(self, request: Request, patience: Patience) -> aiohttp.ClientResponse:
        try:
            async with asyncio.timeout_at(patience.deadline):
                try:
                    return await self._post(request)
                except aiohttp.ServerDisconnectedError:
                    # A kept connection that the service was just closing: nothing came back, so ask anew.
                    return await self._post(request)
        except aiohttp.ConnectionTimeoutError:
            raise ProviderError(FailureCode.UNREACHABLE, "no connection in time") from None
        except TimeoutError:
            raise ProviderError(FailureCode.TIMED_OUT, "no response in time") from None
        except (OSError, ValueError, aiohttp.ServerDisconnectedError) as error:  # refused, no such name, no URL, TLS
            raise ProviderError(FailureCode.UNREACHABLE, type(error).__name__) from None
        except aiohttp.ClientError as error:
            raise ProviderError(FailureCode.BROKEN, type(error).__name__) from None

    async def _post(self, request: Request) -> aiohttp.ClientResponse:
        return await self._session().post(
            self._url,
            data=orjson.dumps(self.body(request)),
            headers={"Content-Type": "application/json", "Accept": "text/event-stream", **self.headers()},
            allow_redirects=False,  # the key and people's words go to the configured address only
        )

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None or session.closed:
            for old in [old for old in self._sessions if old.is_closed()]:
                del self._sessions[old]
            session = self._sessions[loop] = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
                cookie_jar=aiohttp.DummyCookieJar(),  # requests of different people share nothing
                timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS),
                headers={"Accept-Encoding": "identity", "User-Agent": "Parley"},
            )
        return session

    async def _chunk(self, response: aiohttp.ClientResponse, patience: Patience) -> bytes:
        """What has arrived, at least a byte; nothing at the end of the stream."""
        chunk, broken = b"", ""
        patience.begin()
        try:
            chunk = await response.content.readany()
        except (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError) as error:
            broken = type(error).__name__
        patience.rest()
        if patience.out:
            raise ProviderError(FailureCode.TIMED_OUT, "silent for too long")
        if broken:
            raise ProviderError(FailureCode.BROKEN, broken)
        return chunk

    def _understood(self, reader: EventReader, chunk: bytes) -> tuple[str | None, bool, ProviderError | None]:
        """The text of one read (None: no event said anything), whether the answer is complete, and what failed."""
        texts: list[str] = []
        try:
            for payload in reader.feed(chunk) if chunk else reader.end():
                text, ending = self._event(payload)
                if text is not None:
                    texts.append(text)
                if ending:
                    short = ProviderError(ending, "by its last word") if isinstance(ending, FailureCode) else None
                    return "".join(texts), True, short
        except ProviderError as error:
            return "".join(texts), False, error
        cut = None if chunk else ProviderError(FailureCode.BROKEN, "ended before its end")
        return "".join(texts) if texts else None, False, cut

    def _event(self, payload: bytes) -> tuple[str | None, Ending]:
        if payload == b"[DONE]":
            return None, True
        event = loads(payload)
        if not isinstance(event, dict):
            raise ProviderError(FailureCode.BROKEN, "an event that is no JSON object")
        if event.get("error"):
            raise failure(200, event, {})
        try:
            text, ending = self.read(event)
        except (AttributeError, IndexError, KeyError, TypeError):
            text, ending = None, None
        if ending is None:
            raise ProviderError(FailureCode.BROKEN, "an event of another shape")
        if text and "\0" in text:  # which PostgreSQL cannot store
            text = text.replace("\0", "\ufffd")
        return text, ending


async def _failure_of(response: aiohttp.ClientResponse) -> ProviderError:
    body = bytearray()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            while len(body) < ERROR_BODY_BYTES and (chunk := await response.content.readany()):
                body += chunk
    except (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError):  # a time-out is an OSError too
        pass
    return failure(response.status, loads(bytes(body)), response.headers)


async def _read_to_the_end(response: aiohttp.ClientResponse) -> None:
    try:
        async with asyncio.timeout(LAST_READ_SECONDS):
            while await response.content.readany():
                pass
    except (aiohttp.ClientError, aiohttp.http.HttpProcessingError, OSError):
        pass
