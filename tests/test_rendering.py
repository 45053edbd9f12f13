"""Rendered answers: what they look like."""

import pytest

from chat.rendering.markdown import MAX_LENGTH, render, render_plain
from chat.rendering.plain import title_of
from tests.html_inspector import inspected, shown


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
    assert inspected(render("## b\n#### d\n## b")).tags == ["h3", "h4", "h3"]  # no step is left out


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
