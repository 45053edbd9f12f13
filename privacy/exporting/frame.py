"""What surrounds every page in the file: it stands for itself, asks nobody for anything and runs no script.

A policy in the page says so to the browser, too, should anything ever get past the renderer.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

PIECE = 64 * 1024  # characters that are gathered


def framed(title: str, body: Iterable[str], *, up: str = "") -> Iterator[bytes]:
    """A whole page around `body`; `up` leads to the page to begin at, from any other."""
    head = render_to_string("privacy/takeout/_head.html", {"title": title, "up": up, "style": _style()})
    yield from gathered([head], body, [render_to_string("privacy/takeout/_foot.html", {})])


def gathered(*said: Iterable[str]) -> Iterator[bytes]:
    """Text in pieces of about `PIECE`."""
    held, length = list[str](), 0
    for some in said:
        for one in some:
            held.append(one)
            length += len(one)
            if length >= PIECE:
                yield "".join(held).encode()
                held, length = [], 0
    yield "".join(held).encode()


@cache
def _style() -> SafeString:
    sheet = render_to_string("privacy/takeout/sheet.css")
    return format_html("<style>\n{}</style>", mark_safe(sheet))  # noqa: S308 — a file of ours
