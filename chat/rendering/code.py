"""Code blocks: a figure that names the language, with Pygments' classes and no inline style."""

import re
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from html import escape
from io import StringIO

from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import _TokenType
from pygments.util import ClassNotFound

from chat.rendering.characters import made_visible

MAX_HIGHLIGHTED = 100_000  # characters of one message
MAX_SECONDS = 1.0  # likewise; a long answer takes a tenth
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

Token = tuple[_TokenType, str]


class CodeBudget:
    """Highlights the blocks of one message as long as that takes a bearable size and time together.

    Some grammars take the square of their input. They are watched from token to token; a single regular
    expression that never ends is left to the time limit of the worker.
    """

    def __init__(self) -> None:
        self._characters = MAX_HIGHLIGHTED
        self._deadline = time.monotonic() + MAX_SECONDS

    def figure(self, code: str, info: str) -> str:
        """The figure for a block of `code`; `info` is what stands after the opening fence."""
        language = _language(info)
        code = made_visible(code)
        return (
            f'<figure class="code" data-language="{language}"><figcaption>{language}</figcaption>'
            f"<pre><code>{self._highlighted(code, language) or escape(code)}</code></pre></figure>\n"
        )

    def _highlighted(self, code: str, language: str) -> str | None:
        lexer = _lexer(language)
        if lexer is None or len(code) > self._characters:
            return None
        self._characters -= len(code)
        html = StringIO()
        try:
            _FORMATTER.format(self._in_time(lexer.get_tokens(code)), html)
        except TimeoutError:
            return None
        return html.getvalue()

    def _in_time(self, tokens: Iterable[Token]) -> Iterator[Token]:
        for token in tokens:
            if time.monotonic() > self._deadline:
                raise TimeoutError
            yield token


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
