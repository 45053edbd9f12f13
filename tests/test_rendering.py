"""Rendered answers: what they look like, and what hostile ones cannot do."""

import random
import re
import time
from html.parser import HTMLParser

import pytest

from chat.rendering.code import LANGUAGE
from chat.rendering.markdown import MAX_LENGTH, render, render_plain
from chat.rendering.plain import title_of
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


# --- What it looks like -------------------------------------------------------------


def test_code_is_a_figure_with_its_language_and_its_text_is_kept() -> None:
    code = '\n\ndef f():\n\treturn "<b>&amp;"  \n\n'
    html = render(f"```Python title=x\n{code}```")
    assert html.startswith(
        '<figure class="code" data-language="python"><figcaption>python</figcaption><pre><code>'
    ) and html.endswith("</code></pre></figure>\n")
    assert '<span class="k">def</span>' in html
    assert code in inspected(html).text


@pytest.mark.parametrize("language", ["", "nosuch", "text", "PlainText"])
def test_code_without_a_known_language_is_plain(language: str) -> None:
    html = render(f"```{language}\na < b\n```")
    assert f"<figcaption>{language.lower() or 'text'}</figcaption><pre><code>a &lt; b\n</code></pre>" in html


@pytest.mark.parametrize(
    "language", ["python", "js", "ts", "html", "css", "sql", "sh", "json", "rust", "golang", "diff"]
)
def test_highlighting_changes_no_character(language: str) -> None:
    code = "  <a href='x'>{\"k\": [1, 2.5e3]}</a>\t// é 👩‍👩‍👧 \\n 'open\n\n-- x\n#y `z` ${q}\n"
    html = render(f"````{language}\n{code}````")
    assert shown(f"````{language}\n{code}````") == language + code + "\n"
    assert "<span" in html


def test_tables_lists_marks_and_breaks() -> None:
    html = render("| a | b |\n|--:|:-:|\n| 1 | ~~2~~ |\n\n3. c\n   - [x] d\n\n**e** *f* `g`  \nh\n\n---\n> i")
    assert '<div class="scroll"><table>' in html and "</table></div>" in html
    assert '<td class="align-right">1</td>' in html and '<td class="align-center"><s>2</s></td>' in html
    assert '<ol start="3">' in html
    assert 'type="checkbox"' in html and "checked" in html and "disabled" in html
    for part in ("<strong>e</strong>", "<em>f</em>", "<code>g</code>", "<br>", "<hr>", "<blockquote>"):
        assert part in html
    inspected(html)


def test_headings_stand_below_those_of_the_page() -> None:
    assert inspected(render("# a\n## b\n### c\n#### d\n##### e\n###### f\n\ng\n=\n")).tags == [
        *("h3", "h4", "h5", "h6", "h6", "h6", "h3")
    ]


def test_links_are_for_the_web_and_mail() -> None:
    html = render('[a](https://e.org/?a=1&b=2 "t") <mailto:a@b.org> [c][1]\n\n[1]: HTTP://E.ORG')
    assert inspected(html).links == ["https://e.org/?a=1&b=2", "mailto:a@b.org", "HTTP://E.ORG"]
    assert 'title="t"' in html


def test_an_image_is_a_link_and_is_never_fetched() -> None:
    html = render(
        "![a *b*](https://evil.example/x.png?q=secret) [![in](https://a.example/i.png)](https://b.example) ![](https://c.example)"
    )
    page = inspected(html)
    assert "img" not in page.tags
    assert page.links == ["https://evil.example/x.png?q=secret", "https://b.example", "https://c.example"]
    assert page.text.strip() == "a b in image"
    assert shown("![x](data:image/png;base64,AAAA)").strip() == "![x](data:image/png;base64,AAAA)"


def test_footnotes_of_two_messages_do_not_meet() -> None:
    one, two = (inspected(render(f"{word}[^a] again[^a]\n\n[^a]: note")).links for word in ("one", "two"))
    assert len(one) == len(two) == 4
    assert not set(one) & set(two)
    assert render("one[^a]\n\n[^a]: note") == render("one[^a]\n\n[^a]: note")


@pytest.mark.parametrize(
    "formula", [r"$\frac{a}{b} < c$", r"\(\frac{a}{b} < c\)", r"$$\frac{a}{b} < c$$", "\\[\n\\frac{a}{b}\n< c\n\\]"]
)
def test_maths_is_mathml(formula: str) -> None:
    html = render(f"{formula}\n\nand text")
    assert "<mfrac>" in html and "<mo>&lt;</mo>" in html and "alttext=" in html
    assert ('display="block"' in html) == ("$$" in formula or "[" in formula)
    inspected(html)


def test_money_and_escapes_are_no_maths() -> None:
    for text in ("It costs $5 or $10.", "US$ 5 and US$ 6", r"\$a\$", "`$a$`", r"`\(a\)`", r"\[x] and \(y"):
        assert "<math" not in render(text), text
    assert shown("It costs $5 or $10.").strip() == "It costs $5 or $10."


@pytest.mark.parametrize(
    "formula",
    [
        r"$\frac$",
        r"$\left($",
        r"$\begin{matrix}$",
        r"$\newcommand{\a}{\a\a}\a$",
        "$" + "x" * 3000 + "$",
        "$" + "{" * 200 + "x" + "}" * 200 + "$",
    ],
)
def test_what_is_no_formula_is_shown_as_code(formula: str) -> None:
    assert render(formula).startswith("<p><code>")
    inspected(render(formula))


def test_plain_text_for_what_took_too_long() -> None:
    assert render_plain("<b>&\n\n\nx\ny") == "<p>&lt;b&gt;&amp;</p>\n<p>x<br>\ny</p>\n"
    assert render("*a* " * MAX_LENGTH).count("*") == 2 * MAX_LENGTH


# --- What hostile text cannot do ---------------------------------------------------------

ATTACKS = [
    "<script>alert(1)</script>",
    "<svg onload=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    '<math href="javascript:alert(1)">x</math>',
    '<math><maction actiontype="statusline#http://x" xlink:href="javascript:alert(1)">x</maction></math>',
    '<math><annotation-xml encoding="text/html"><img src=x onerror=alert(1)></annotation-xml></math>',
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<form action=/account/delete><button>x</button></form>",
    "<style>*{background:url(//evil)}</style>",
    "<!-- x --><![CDATA[x]]><?php x ?><!DOCTYPE x>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java&#x0A;script:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\tscript:alert(1)>)",
    "[x](\x01javascript:alert(1))",
    "[x](%6aavascript:alert(1))",
    "[x](vbscript:x) [x](file:///etc/passwd) [x](blob:x) [x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](//evil.example) [x](/account/delete) [x](?x) [x](#top) [x](chat) [x](\\\\evil) [x](http:x)",
    "[x]: javascript:alert(1)\n[x]",
    "<javascript:alert(1)> <data:text/html,x>",
    '[x](https://e.org/"onmouseover="alert(1))',
    "[x](https://e.org '\"><script>alert(1)</script>')",
    '![" onerror="alert(1)](https://e.org/x)',
    "![x](javascript:alert(1)) ![x](//evil/x.png)",
    "```python onload=x\nx\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "```x\"onclick='a'\nx\n```",
    "~~~' class='btn admin\nx\n~~~",
    "```html\n</code></pre></figure><script>alert(1)</script>\n```",
    r"$\href{javascript:alert(1)}{x}$",
    r"$\text{<script>alert(1)</script>}$",
    r"$\text{&lt;script&gt;alert(1)&lt;/script&gt;}$",
    r"$\text{&amp;lt;img src=x onerror=alert(1)&gt;}$",
    r"$\mathrm{<img src=x onerror=alert(1)>}$",
    r"$\color{red\" onload=\"alert(1)}x$",
    r"$\class{btn}{x} \cssId{x}{y} \style{color:red}{z} \unicode{x}$",
    r"$\textcolor{\"><script>}{x}$",
    r"$\hspace{1em\" onclick=\"x} \rule{1em}{1em}$",
    r"$\begin{array}{\"><script>alert(1)</script>} a \end{array}$",
    r"\(<img src=x onerror=alert(1)>\)",
    "$$\n</math><script>alert(1)</script>\n$$",
    "[^<script>]\n\n[^<script>]: x",
    '[^"onload=x]\n\n[^"onload=x]: x',
    "[^constructor] [^__proto__]\n\n[^constructor]: a\n[^__proto__]: b",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "- [x](javascript:alert(1))\n- [ ] <input onfocus=alert(1) autofocus>",
    "[*x*](https://e.org)<b>\n\n# <script>\n\n> <script>",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;script&#62;",
    "\u2028\u2029\ufeff\0<\0script>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_text(attack: str) -> None:
    for text in (
        attack,
        f"> - {attack}",
        f"a {attack} b\n\n{attack}",
        f"**{attack}**",
        f"| {attack} |\n|---|\n| {attack} |",
    ):
        inspected(render(text))


def test_the_sanitiser_holds_alone() -> None:
    page = inspected(
        sanitised(" ".join(ATTACKS) + '<p class="btn k" id="main" style="x">a</p><span class="k btn">b</span>')
    )
    assert not page.links
    assert sanitised('<p id="x" class="k">a</p><span class="k btn">b</span>') == '<p>a</p><span class="k">b</span>'
    assert inspected(sanitised('<input type="text" name="password" value="x">')).tags == ["input"]
    assert sanitised('<a href="#main">x</a>') == '<a rel="nofollow noopener noreferrer">x</a>'
    assert sanitised('<mrow width="url(//x)"></mrow>').count("url") == 0
    nested = "<div>" * 20_000 + "x"
    assert sanitised(nested)


def test_attacks_put_together_at_random() -> None:
    dice = random.Random(20261123)
    glue = [
        "",
        " ",
        "\n",
        "\n\n",
        "`",
        "```",
        "$",
        "$$",
        "[",
        "](",
        ")",
        "<",
        ">",
        "|",
        "\n> ",
        "\n- ",
        "&",
        "\\",
        '"',
        "'",
        "\t",
        "*",
    ]
    for _ in range(400):
        text = "".join(
            dice.choice(ATTACKS)[dice.randrange(20) :] + dice.choice(glue) for _ in range(dice.randrange(2, 7))
        )
        inspected(render(text))


def test_hidden_characters_show() -> None:
    assert "\0" not in render("a\0b") and "\ufffd" in render("a\0b")
    assert "\u202e" not in render("pay \u202eexe.txt") and "\ufffd" in render("pay \u202eexe.txt")
    assert "\u2066" in render("prose \u2066ab\u2069")
    assert "\u2066" not in render("```c\n/* \u2066 */\n```")
    assert render("lone \ud83d surrogate \x1b[31m") == "<p>lone \ufffd surrogate \ufffd[31m</p>\n"
    assert "\u202e" not in render_plain("\u202e\ud83d")


FILL = [
    *(
        "*",
        "_a",
        "**a* ",
        "[",
        "[](",
        "[a](",
        "![",
        "![[]]",
        "` ",
        "`",
        ">",
        "> ",
        "- ",
        "1. ",
        "<",
        "<a ",
        "&",
        "&#x0",
    ),
    *("$", "$a ", "$$\n", "\\(", "\\( a ", "\\[\n", "\\[ a\nb\n", "|", "~", "```\n", "# a\n", "a\n=\n", "- [ ] a\n"),
    *("[^1]", "$x$ ", "\t", "\n", "\u202e", "\0", "[a]: https://e.org\n", "|a|b\n|-|-\n", "$\\frac{a}{b}$ ", "*a **b "),
]
TRAPS = {
    "ten thousand quotes": ">" * 10_000 + " x",
    "lists within lists": "\n".join("  " * depth + "- x" for depth in range(300)),
    "uneven backticks": "".join("a" + "`" * length for length in range(400)),
    "a table of a thousand columns": "|a" * 1000 + "\n" + "|-" * 1000 + "\n" + ("|b" * 1000 + "\n") * 40,
    "a table that fills itself": "|a" * 9_000 + "|\n" + "|-" * 9_000 + "|\n" + "|\n" * 20_000,
    "notes in notes": "".join(f"[^{n}]: " + f"[^{n + 1}] " * 20 + "\n\n" for n in range(400)) + "[^0]",
    "one long address, often": f"[a]: https://e.org/{'y' * 1900}\n\n" + "[a] " * 2000 + ("\n\n" + "[a] " * 2000) * 9,
    "perl": "```perl\n" + "s{" * 45_000,
    "ruby": "```ruby\n" + "<<a " * 20_000,
    "php": '```php\n<?php "' + "{$" * 40_000,
    "deep fractions": ("$" + "\\frac" * 300 + "$ ") * 60,
}


@pytest.mark.parametrize("length", [MAX_LENGTH, 1_000_000])
def test_a_text_of_one_thing_takes_bounded_time(length: int) -> None:
    for unit in FILL:
        started = time.process_time()
        html = render(unit * (length // len(unit)))
        assert time.process_time() - started < 15, unit  # brackets take 5 s on a slow core; the worker has a limit too
        assert len(html) < 12_000_000


TRAPS = {
    "ten thousand quotes": ">" * 10_000 + " x",
    "lists within lists": "\n".join("  " * depth + "- x" for depth in range(300)),
    "uneven backticks": "".join("a" + "`" * length for length in range(400)),
    "a table of a thousand columns": "|a" * 1000 + "\n" + "|-" * 1000 + "\n" + ("|b" * 1000 + "\n") * 40,
    "a table that fills itself": "|a" * 9_000 + "|\n" + "|-" * 9_000 + "|\n" + "|\n" * 20_000,
    "notes in notes": "".join(f"[^{n}]: " + f"[^{n + 1}] " * 20 + "\n\n" for n in range(400)) + "[^0]",
    "one long address, often": f"[a]: https://e.org/{'y' * 1900}\n\n" + "[a] " * 2000 + ("\n\n" + "[a] " * 2000) * 9,
    "perl": "```perl\n" + "s{" * 45_000,
    "ruby": "```ruby\n" + "<<a " * 20_000,
    "php": '```php\n<?php "' + "{$" * 40_000,
    "deep fractions": ("$" + "\\frac" * 300 + "$ ") * 60,
}


@pytest.mark.parametrize("length", [MAX_LENGTH, 1_000_000])
def test_a_text_of_one_thing_takes_bounded_time(length: int) -> None:
    for unit in FILL:
        started = time.process_time()
        html = render(unit * (length // len(unit)))
        assert time.process_time() - started < 15, unit  # brackets take 5 s on a slow core; the worker has a limit too
        assert len(html) < 12_000_000


def test_brackets_and_backticks_by_the_paragraph_take_bounded_time() -> None:
    for unit in ("![", "[", "[a](", "`a", "**a* ", "<a ", "_a"):
        paragraph = unit * (MAX_PARAGRAPH // len(unit)) + "\n\n"
        started = time.process_time()
        render(paragraph * (MAX_LENGTH // len(paragraph)))
        assert time.process_time() - started < 12, unit


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_takes_bounded_time(trap: str) -> None:
    started = time.process_time()
    html = render(TRAPS[trap])
    assert time.process_time() - started < 15
    assert len(html) < 4_000_000


# --- Titles ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Hello", "Hello"),
        ("  \n\n# **What** is `x`?\nand more", "What is x?"),
        ("> - [ ] see [the page](https://e.org/x)", "see the page"),
        ("```python\nprint(1)\n```\nWhat does this do?", "What does this do?"),
        ("Why is the sea salty? " + "I have wondered for years. " * 9, "Why is the sea salty?"),
        ("word " * 40, "word word word word word word word word word word word word…"),
        ("x" * 100, "x" * 59 + "…"),
        ("日本語" * 40, ("日本語" * 20)[:59] + "…"),
        ("a\0b\u202ec", "a\ufffdb\ufffdc"),
        ("snake_case and 2 * 3 * 4", "snake_case and 2 * 3 * 4"),
        ("", ""),
        ("\n ` \n", ""),
    ],
)
def test_a_title_is_a_short_line(question: str, title: str) -> None:
    assert title_of(question) == title


def test_a_title_of_anything_is_short_and_quick() -> None:
    started = time.process_time()
    for unit in [*FILL, *ATTACKS, *TRAPS.values()]:
        title = title_of(unit * max(1, 20_000 // len(unit)))
        assert len(title) <= 60 and "\n" not in title
    assert time.process_time() - started < 5
