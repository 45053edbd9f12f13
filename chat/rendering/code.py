"""Code blocks: a figure that names the language, with Pygments' classes and no inline style."""

import re
from collections.abc import MutableMapping
from functools import lru_cache
from html import escape
from typing import Any

from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from chat.rendering.characters import made_visible

MAX_HIGHLIGHTED = 100_000  # characters of one message
LANGUAGE = re.compile(r"[a-z0-9][a-z0-9+#._-]{0,29}")
# What models write and Pygments calls otherwise.
ALIASES = {
    "assembly": "nasm",
    "cuda": "c++",
    "env": "bash",
    "golang": "go",
    "jsonc": "json",
    "node": "javascript",
    "plaintext": "text",
    "plain": "text",
    "py3": "python",
    "shellscript": "bash",
    "svelte": "html",
    "txt": "text",
    "vue": "html",
}
_FORMATTER: HtmlFormatter[str] = HtmlFormatter(nowrap=True)


def code_figure(code: str, info: str, env: MutableMapping[str, Any]) -> str:
    """The figure for a block of `code`; `info` is what stands after the opening fence."""
    language = _language(info)
    code = made_visible(code)
    # Some grammars take the square of their input: the budget is the message's, not the block's.
    spent = env.get("highlighted", 0) + len(code)
    lexer = _lexer(language) if spent <= MAX_HIGHLIGHTED else None
    if lexer:
        env["highlighted"] = spent
    html = highlight(code, lexer, _FORMATTER) if lexer else escape(code)
    return (
        f'<figure class="code" data-language="{language}"><figcaption>{language}</figcaption>'
        f"<pre><code>{html}</code></pre></figure>\n"
    )


def _language(info: str) -> str:
    """The first word after the fence if it can be the name of a language, else "text"."""
    word = (info.split(maxsplit=1) or [""])[0].lower()
    return word if LANGUAGE.fullmatch(word) else "text"


@lru_cache(maxsize=128)
def _lexer(language: str) -> Lexer | None:
    name = ALIASES.get(language, language)
    if name == "text":
        return None
    try:
        # The text stays as it is, to the last line end: it is going to be copied.
        return get_lexer_by_name(name, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
