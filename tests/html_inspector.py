"""Reads rendered HTML as a browser does, and holds it against what a page may contain."""

import re
from html.parser import HTMLParser

from chat.rendering.code import LANGUAGE
from chat.rendering.markdown import render
from chat.rendering.sanitiser import CLASSES, MATHML_TAGS, TAGS, sanitised

HREF = re.compile(r"(?i:https?|mailto):\S*|#fn(ref)?-md-[0-9a-f]{8}-\d+(:\d+)?")


class Inspector(HTMLParser):
    """Reads HTML as a browser does and holds it against what a page may contain."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS | MATHML_TAGS, tag
        self.tags.append(tag)
        given = dict(attrs)
        for name, value in attrs:
            assert not name.startswith("on") and name not in ("style", "src", "srcset", "target", "name"), name
            if name == "class":
                assert set((value or "").split()) <= CLASSES[tag]
            elif name == "id":
                assert re.fullmatch(r"fn(ref)?-md-[0-9a-f]{8}-\d+(:\d+)?", value or "")
            elif name == "data-language":
                assert LANGUAGE.fullmatch(value or "")
        if tag == "a":
            assert given["rel"] == "nofollow noopener noreferrer"
            if "href" in given:
                assert HREF.fullmatch(given["href"] or ""), given["href"]
                self.links.append(given["href"] or "")
        elif tag == "input":
            assert given["type"] == "checkbox" and "disabled" in given
        else:
            assert "href" not in given

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError("a declaration")


def inspected(html: str) -> Inspector:
    inspector = Inspector()
    inspector.feed(html)
    inspector.close()
    # A second pass changes nothing: what the browser reads is what was checked.
    assert sanitised(html) == html
    return inspector


def shown(text: str) -> str:
    return inspected(render(text)).text
