"""How long a silent service is waited for."""

import asyncio

import aiohttp


class Patience:
    """Closes a response that stays silent: until `deadline` for the first token, then so long between reads.

    One timer per stream that moves on when it rings too early. (`asyncio.timeout` around each read would
    make and cancel a timer for each, which at thousands of reads a second is felt.)
    """

    def __init__(self, first_token_seconds: float, silence_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._silence = silence_seconds
        self.deadline = self._loop.time() + first_token_seconds
        self._until = self.deadline
        self._speaking = False
        self._timer: asyncio.TimerHandle | None = None
        self._response: aiohttp.ClientResponse | None = None
        self.out = False

    def watch(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self._arm()

    def begin(self) -> None:
        """A read is awaited from now."""
        self._until = self._loop.time() + self._silence if self._speaking else self.deadline
        if self._timer and self._until < self._timer.when():
            self._arm()

    def rest(self) -> None:
        """Nothing is awaited: the time that the reader of the pieces takes is not the service's."""
        self._until = float("inf")

    def heard(self, text: str | None) -> None:
        self._speaking = self._speaking or text is not None

    def end(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._response = None

    def _ring(self) -> None:
        if self._response is None:
            return
        if self._loop.time() < self._until:
            self._arm()
            return
        self.out = True
        self._response.close()

    def _arm(self) -> None:
        if self._timer:
            self._timer.cancel()
        # While nothing is awaited there is no end to wait for: look again after a while.
        self._timer = self._loop.call_at(min(self._until, self._loop.time() + self._silence), self._ring)
