r"""Maths: LaTeX between $…$, $$…$$, \(…\) and \[…\] becomes MathML.

latex2mathml puts text into its output without escaping it (it writes the tree, then undoes the escaping), so
only its tree is used: it is copied here, element by element, into what is known to be harmless.
"""

import re
from html import escape, unescape
from xml.etree.ElementTree import Element

from latex2mathml import exceptions
from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from chat.rendering.sanitiser import MATHML_ATTRIBUTES, MATHML_TAGS

MAX_FORMULA = 2_000  # characters
MAX_FORMULAS = 20_000  # characters of all formulas of a message
MAX_DEPTH = 60
# A macro can be made to double itself a hundred times.
_MACROS = re.compile(
    r"\\(re|provide)?(newcommand|newenvironment)|\\[egx]?def\b|\\let\b|\\DeclareMathOperator|\\require"
)
# What is no formula ends in one of its own exceptions or in whatever comes. Not simply Exception: a worker's time
# limit is one too, and must pass.
_CONVERTER_ERRORS: tuple[type[Exception], ...] = (
    *(kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, Exception)),
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, StopIteration, TypeError, ValueError),
)


class MathsBudget:
    """Turns the formulas of one message into MathML as long as they are of a bearable length together."""

    def __init__(self) -> None:
        self._left = MAX_FORMULAS

    def render(self, latex: str, *, display: bool) -> str:
        self._left -= len(latex)
        element = _element(latex, display) if self._left >= 0 else None
        if element is None:
            return f"<code>{escape(latex)}</code>"
        return element


def _element(latex: str, display: bool) -> str | None:
    if len(latex) > MAX_FORMULA or _MACROS.search(latex) or latex.count("{") - latex.count(r"\{") > 300:
        return None
    try:
        tree = convert_to_element(latex, display="block" if display else "inline")
        return _copied(tree, alttext=latex)
    except _CONVERTER_ERRORS:
        return None


def _copied(element: Element, depth: int = 0, alttext: str = "") -> str:
    if depth > MAX_DEPTH:
        raise RecursionError
    # The converter leaves character references in its text; everything is escaped after they are resolved.
    content = escape(unescape(element.text or ""))
    for child in element:
        content += _copied(child, depth + 1) + escape(unescape(child.tail or ""))
    if element.tag not in MATHML_TAGS:
        return content
    given = {name: value for name, value in element.attrib.items() if name in MATHML_ATTRIBUTES}
    if alttext:
        given["alttext"] = alttext
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in given.items())
    return f"<{element.tag}{attributes}>{content}</{element.tag}>"


# --- \( \) and \[ \], which models write as often as dollars ----------------------------


def bracket_maths_plugin(parser: MarkdownIt) -> None:
    parser.inline.ruler.before("escape", "bracket_maths", _inline)
    parser.block.ruler.before("fence", "bracket_maths_block", _block, {"alt": ["paragraph", "blockquote", "list"]})


_CLOSING = {r"\(": r"\)", r"\[": r"\]"}


def _inline(state: StateInline, silent: bool) -> bool:
    opening = state.src[state.pos : state.pos + 2]
    closing = _CLOSING.get(opening)
    if closing is None:
        return False
    # No further than a formula may be long: a text of openings would be searched by its square.
    end = state.src.find(closing, state.pos + 2, state.pos + 2 + MAX_FORMULA)
    content = state.src[state.pos + 2 : end]
    if end < 0 or not content.strip() or opening in content:
        return False
    if not silent:
        token = state.push("math_inline" if opening == r"\(" else "math_inline_double", "math", 0)
        token.content = content
        token.markup = opening
    state.pos = end + 2
    return True


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A display formula on lines of its own: the paragraph rule would read its first `=` line as a heading."""
    first = _line(state, start)
    if not first.startswith(r"\[") or state.is_code_block(start):
        return False
    lines: list[str] = []
    for number in range(start, min(end, start + 100)):
        line = _line(state, number)
        if not line or (lines and line.startswith(r"\[")):
            return False
        lines.append(line)
        if line.endswith(r"\]"):
            break
    content = "\n".join(lines)
    if len(content) < 5 or not content.endswith(r"\]") or content.count(r"\]") > 1:
        return False
    if not silent:
        token = state.push("math_block", "math", 0)
        token.block, token.markup, token.content = True, r"\[", content[2:-2]
        token.map = [start, start + len(lines)]
        state.line = start + len(lines)
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].strip()
