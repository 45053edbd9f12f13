"""Server-sent events out of bytes that arrive cut anywhere.

Network reads come one at a time and small; the whole cost of a stream is here. So: split on LF, look at
the first bytes, hand on the payload undecoded (docs/decisions/0002-provider-http-client.md).
"""

from chat.providers.errors import FailureCode, ProviderError

MAX_LINE = 1 << 20


class EventReader:
    """Collects the `data` of events. Feed it reads of any size; it returns the payloads that became whole.

    Lines end in LF or CRLF. Comments, event names, ids and unknown fields are passed over: both dialects
    repeat what matters inside the JSON.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []  # the line under way; joined once, or long lines would cost their square
        self._size = 0
        self._data: list[bytes] = []  # the data lines of the event under way

    def feed(self, chunk: bytes) -> list[bytes]:
        head, newline, rest = chunk.rpartition(b"\n")
        if not newline:
            self._keep(chunk)
            return []
        if self._parts:
            self._parts.append(head)
            head = b"".join(self._parts)
            self._parts.clear()
            self._size = 0
        payloads: list[bytes] = []
        for line in head.split(b"\n"):
            self._line(line, payloads)
        if rest:
            self._keep(rest)
        return payloads

    def end(self) -> list[bytes]:
        """What an end without a last empty line leaves."""
        return self.feed(b"\n\n")

    def _keep(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)
        if self._size > MAX_LINE:
            raise ProviderError(FailureCode.BROKEN, "line over the bound")

    def _line(self, line: bytes, payloads: list[bytes]) -> None:
        if line.endswith(b"\r"):
            line = line[:-1]
        if not line:
            if self._data:
                payloads.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                self._data.clear()
        elif line.startswith(b"data:"):
            if len(line) + sum(map(len, self._data)) > MAX_LINE:
                raise ProviderError(FailureCode.BROKEN, "event over the bound")
            self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif line.startswith(b"error:"):  # not in the standard; llama.cpp's way to fail within a stream
            payloads.append(b'{"error":' + line[6:] + b"}")
