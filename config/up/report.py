"""What `up` says: one short line per step; at a terminal with a sign of life while the step takes its time."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Report:
    """Lines for the person at the shell."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.lively = sys.stdout.isatty()

    @contextmanager
    def step(self, doing: str) -> Iterator[None]:
        """Say what is being done while the block runs, and then how long it took."""
        began = time.monotonic()
        if not self.lively:
            self._say(f"  {doing} … ")
            try:
                yield
            except BaseException:
                self.line()
                raise
            self.line(f"{time.monotonic() - began:.1f} s")
            return
        from rich.console import Console  # a quarter of a second, spared where nobody watches

        with Console().status(f"{doing} …"):
            yield
        self.line(f"  ✓ {doing} … {time.monotonic() - began:.1f} s")

    def line(self, text: str = "") -> None:
        self._say(f"{text}\n")

    def _say(self, text: str) -> None:
        with suppress(OSError):  # a terminal that was closed must not keep the house from being stopped
            sys.stdout.write(text)
            sys.stdout.flush()

    def seconds(self) -> float:
        return time.monotonic() - self.began
