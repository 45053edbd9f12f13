"""What hostile text cannot do to the page that shows it."""

import random
import time

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from chat.rendering.markdown import MAX_LENGTH, render, render_plain
from chat.rendering.plain import title_of
from chat.rendering.sanitiser import sanitised
from tests.html_inspector import inspected

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


@pytest.mark.parametrize("length", [MAX_LENGTH // 4, 1_000_000])
def test_a_text_of_one_thing_takes_bounded_time(length: int) -> None:
    for unit in FILL:
        started = time.process_time()
        html = render(unit * (length // len(unit)))
        assert time.process_time() - started < 8, unit  # at most 1.3 s on a slow core
        assert len(html) < 12_000_000


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_takes_bounded_time(trap: str) -> None:
    started = time.process_time()
    html = render(TRAPS[trap])
    assert time.process_time() - started < 15
    assert len(html) < 4_000_000


def test_a_title_of_anything_is_short_and_quick() -> None:
    started = time.process_time()
    for unit in [*FILL, *ATTACKS, *TRAPS.values()]:
        title = title_of(unit * max(1, 20_000 // len(unit)))
        assert len(title) <= 60 and "\n" not in title
    assert time.process_time() - started < 5


def test_the_time_limit_of_a_worker_passes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr("chat.rendering.maths.convert_to_element", interrupted)
    with pytest.raises(SoftTimeLimitExceeded):
        render("$x$")
