"""Markdown to sanitised HTML.

The text is written by a model, perhaps by order of somebody who wants to harm its reader: it is hostile.
Three things stand between it and the page. The parser knows no raw HTML. What it makes goes through the
sanitiser (sanitiser.py), which would hold alone. And nothing is ever fetched: an image becomes a link,
because an address that loads by itself carries off what the model read (a table of one's secrets, say).

It takes tens of milliseconds, and hostile text up to seconds: run it in a worker that has a time limit,
never in an event loop or a thread. `render_plain` is for a text that used that limit up.
"""

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin

from chat.rendering.characters import made_harmless
from chat.rendering.code import CodeBudget
from chat.rendering.maths import MathsBudget, bracket_maths_plugin
from chat.rendering.sanitiser import FOOTNOTE_MARK, sanitised

MAX_LENGTH = 100_000  # characters; an answer of 4,000 tokens has 16,000
MAX_ADDRESS = 2_000
MAX_HTML = 3_000_000  # a short text can name a long address very often
MAX_NESTING = 20  # brackets take this many times their length
_WEB_ADDRESS = re.compile(r"(https?://|mailto:)[^\s]", re.IGNORECASE)


def render(text: str) -> str:
    """`text` (Markdown with tables, task lists, footnotes and maths) as sanitised HTML."""
    text = made_harmless(text)
    if len(text) > MAX_LENGTH:
        return render_plain(text)
    # Footnotes of all messages share one page: their ids carry a mark of the text.
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    html = _parser().render(text, {"mark": mark, "maths": MathsBudget(), "code": CodeBudget()})
    return sanitised(html) if len(html) <= MAX_HTML else render_plain(text)


def render_plain(text: str) -> str:
    """`text` as it stands, with its line breaks: for what is too long, or took too long, to be rendered."""
    paragraphs = re.split(r"\n{2,}", made_harmless(text).strip("\n"))
    # No sanitiser: of a megabyte of `&amp;` it takes twenty seconds, and nothing is left for it to do.
    return "".join("<p>" + escape(one, quote=False).replace("\n", "<br>\n") + "</p>\n" for one in paragraphs)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING, "tasklists": True})
    parser.enable(["table", "strikethrough"])
    parser.use(footnote_plugin, inline=False)
    parser.use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False, double_inline=True)
    parser.use(bracket_maths_plugin)
    parser.core.ruler.push("images as links", _images_as_links)
    parser.core.ruler.push("quieter markup", _quieter_markup)
    parser.validateLink = _is_web_address  # type: ignore[method-assign]
    rules: dict[str, Any] = {
        "fence": _fence,
        "code_block": _fence,
        "math_inline": _maths,
        "math_inline_double": _maths,
        "math_block": _maths,
        "table_open": _table_open,
        "table_close": _table_close,
        "footnote_anchor_name": _footnote_name,
    }
    for name, rule in rules.items():
        parser.add_render_rule(name, rule)
    return parser


def _is_web_address(url: str) -> bool:
    return len(url) <= MAX_ADDRESS and bool(_WEB_ADDRESS.match(url))


# --- On the tokens ------------------------------------------------------------


def _images_as_links(state: StateCore) -> None:
    """An image becomes a link that shows its description; within a link, the description alone."""
    for token in state.tokens:
        if token.type != "inline" or not any(child.type == "image" for child in token.children or ()):
            continue
        children: list[Token] = []
        depth = 0
        for child in token.children or ():
            depth += child.nesting if child.type in ("link_open", "link_close") else 0
            children += _link_of(child, inside=depth > 0) if child.type == "image" else [child]
        token.children = children


def _link_of(image: Token, *, inside: bool) -> list[Token]:
    words = Token("text", "", 0, content=_words_of(image.children or ()).strip() or "image")
    if inside:
        return [words]
    opening = Token("link_open", "a", 1, attrs={"href": str(image.attrs["src"])})
    return [opening, words, Token("link_close", "a", -1)]


def _words_of(tokens: Sequence[Token]) -> str:
    return "".join(_words_of(token.children) if token.children else token.content for token in tokens)


def _quieter_markup(state: StateCore) -> None:
    """Headings right below those of the page; the alignment of cells as a class, for style attributes are forbidden."""
    levels = sorted({token.tag for token in state.tokens if token.type == "heading_open"})
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(levels.index(token.tag) + 3, 6)}"
        elif token.type in ("th_open", "td_open") and (style := str(token.attrs.pop("style", ""))):
            token.attrs["class"] = "align-" + style.removeprefix("text-align:")


# --- On the way to HTML -------------------------------------------------------

Tokens = Sequence[Token]


def _fence(renderer: RendererHTML, tokens: Tokens, index: int, options: OptionsDict, env: EnvType) -> str:
    html: str = env["code"].figure(tokens[index].content, tokens[index].info)
    return html


def _maths(renderer: RendererHTML, tokens: Tokens, index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    html: str = env["maths"].render(token.content.strip(), display=token.type != "math_inline")
    return f'<div class="scroll">{html}</div>\n' if token.block else html


def _table_open(renderer: RendererHTML, tokens: Tokens, index: int, options: OptionsDict, env: EnvType) -> str:
    return '<div class="scroll"><table>\n'


def _table_close(renderer: RendererHTML, tokens: Tokens, index: int, options: OptionsDict, env: EnvType) -> str:
    return "</table></div>\n"


def _footnote_name(renderer: RendererHTML, tokens: Tokens, index: int, options: OptionsDict, env: EnvType) -> str:
    return f"{FOOTNOTE_MARK}{env['mark']}-{tokens[index].meta['id'] + 1}"
