"""The allowlist: what rendered HTML may consist of. It trusts nothing that runs before it."""

import re

import nh3
from pygments.token import STANDARD_TYPES

FOOTNOTE_MARK = "-md-"  # ids are "fn-md-<mark>-1": no word of the model reaches an id
_FOOTNOTE_ID = re.compile(r"fn(ref)?-md-[0-9a-f]{8}-\d{1,6}(:\d{1,6})?")
_LANGUAGE = re.compile(r"[a-z0-9][a-z0-9+#._-]{0,29}")

# MathML Core without what acts (maction, href), embeds (annotation-xml, semantics) or draws images (mglyph).
MATHML_TAGS = {
    "math", "menclose", "merror", "mfenced", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded",
    "mphantom", "mprescripts", "mroot", "mrow", "ms", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup",
    "mtable", "mtd", "mtext", "mtr", "munder", "munderover", "none",
}  # fmt: skip
MATHML_ATTRIBUTES = {
    "accent", "accentunder", "alttext", "columnalign", "columnlines", "columnspacing", "depth", "display",
    "displaystyle", "fence", "form", "height", "largeop", "linethickness", "lspace", "mathvariant", "maxsize",
    "minsize", "movablelimits", "notation", "rowlines", "rowspacing", "rspace", "scriptlevel", "separator",
    "stretchy", "symmetric", "voffset", "width",
}  # fmt: skip
_MATHML_VALUE = re.compile(r"[A-Za-z0-9.,%+\- ]{0,60}")
TAGS = {
    "a", "blockquote", "br", "code", "del", "div", "em", "figcaption", "figure", "h3", "h4", "h5", "h6", "hr",
    "input", "label", "li", "ol", "p", "pre", "s", "section", "span", "strong", "sup", "table", "tbody", "td",
    "th", "thead", "tr", "ul",
}  # fmt: skip
_ALIGNMENTS = {"align-left", "align-center", "align-right"}
CLASSES = {
    "a": {"footnote-backref"},
    "div": {"scroll"},
    "figure": {"code"},
    "hr": {"footnotes-sep"},
    "input": {"task-list-item-checkbox"},
    "li": {"footnote-item", "task-list-item"},
    "ol": {"contains-task-list", "footnotes-list"},
    "section": {"footnotes"},
    "span": {name for name in STANDARD_TYPES.values() if name},
    "sup": {"footnote-ref"},
    "td": _ALIGNMENTS,
    "th": _ALIGNMENTS,
    "ul": {"contains-task-list"},
}


def sanitised(html: str) -> str:
    return _CLEANER.clean(html)


def _attribute(tag: str, name: str, value: str) -> str | None:
    """The value of an allowed attribute if it is of the shape that the renderer gives it."""
    if name == "id":
        return value if _FOOTNOTE_ID.fullmatch(value) else None
    if name == "data-language":
        return value if _LANGUAGE.fullmatch(value) else None
    if name == "start":
        return value if value.isascii() and value.isdigit() else None
    if tag in MATHML_TAGS and name != "alttext":
        return value if _MATHML_VALUE.fullmatch(value) else None
    return value


def _within_the_text(url: str) -> str | None:
    """Of the addresses without a scheme only those of footnotes: any other would name a page of this site."""
    return url if url.startswith("#") and _FOOTNOTE_ID.fullmatch(url[1:]) else None


_CLEANER = nh3.Cleaner(
    tags=TAGS | MATHML_TAGS,
    clean_content_tags={"script", "style"},
    attributes={
        "a": {"href", "title", "id"},
        "figure": {"data-language"},
        "input": {"checked"},
        "li": {"id"},
        "ol": {"start"},
        **dict.fromkeys(MATHML_TAGS, MATHML_ATTRIBUTES),
    },
    attribute_filter=_attribute,
    allowed_classes=CLASSES,
    set_tag_attribute_values={"input": {"type": "checkbox", "disabled": ""}},
    url_schemes={"http", "https", "mailto"},
    url_relative=_within_the_text,
    link_rel="nofollow noopener noreferrer",
)
