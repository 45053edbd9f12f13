"""What Redis answers, in one shape: the client declares every shape that any version of the protocol may send."""

from typing import Any

Entry = tuple[bytes, dict[bytes, bytes]]


def entries(reply: Any) -> list[Entry]:
    """The entries of one stream (XRANGE, XREVRANGE)."""
    return list(reply or ())


def by_stream(reply: Any) -> list[tuple[bytes, list[Entry]]]:
    """The entries of several streams, by name (XREAD); none where the read ran out of time."""
    return [(name, list(found)) for name, found in reply or ()]
