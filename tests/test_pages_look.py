"""What the strict Content-Security-Policy and the house rules ask of every template, checked in the text itself."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STATIC = [ROOT / room / "static" for room in ("accounts", "privacy", "chat")]
SHELLS = {"base.html", "page.html", "settings.html", "error.html"}
# Pages that stand for themselves, as opposed to shells, partials and the parts that allauth and the admin ask for.
PAGES = [
    path
    for path in TEMPLATES
    if not path.name.startswith("_")
    and not {"allauth", "admin"} & set(path.parts)
    and str(path.relative_to(ROOT / "templates")) not in SHELLS
]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def without_comments(text: str) -> str:
    return re.sub(r"{#.*?#}|{% comment.*?endcomment %}", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_templates_hold_nothing_inline(path: Path) -> None:
    text = without_comments(path.read_text())
    assert not re.search(r"<[^>]*\sstyle\s*=", text), "style="
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", text), "an event handler"
    assert "<style" not in text
    for opening, body in re.findall(r"<script([^>]*)>(.*?)</script>", text, flags=re.DOTALL):
        assert "src=" in opening and not body.strip(), "an inline script"


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_templates_ask_nobody_else(path: Path) -> None:
    assert not re.search(r"(?:src|href|action)\s*=\s*[\"'](?:https?:)?//", path.read_text())


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_each_page_has_a_title_and_a_heading(path: Path) -> None:
    partials = [ROOT / "templates" / part for part in re.findall(r'include "([^"{]+)"', path.read_text())]
    text = path.read_text() + "".join(part.read_text() for part in partials if part.is_file())
    assert re.search(r"block (head_)?title|<title>", text), "no title"
    assert re.search(r"<h1|block heading", text), "no h1"


@pytest.mark.parametrize("path", [p for folder in STATIC for p in sorted(folder.rglob("*.css"))], ids=name)
def test_sheets_load_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text()
    assert "@import" not in text
    for address in re.findall(r"url\(\s*[\"']?([^\"')]+)", text):
        assert (path.parent / address).is_file(), address


@pytest.mark.parametrize("path", [p for folder in STATIC for p in sorted(folder.rglob("*.js"))], ids=name)
def test_scripts_keep_nothing_in_the_browser_and_evaluate_nothing(path: Path) -> None:
    text = path.read_text()
    for word in ("localStorage", "sessionStorage", "indexedDB", "eval(", "new Function", "document.cookie"):
        assert word not in text, word
    for imported in re.findall(r"from \"([^\"]+)\"", text):
        assert (path.parent / imported).is_file(), imported


@pytest.mark.parametrize("path", [p for folder in STATIC for p in sorted(folder.rglob("*.js"))], ids=name)
def test_files_stay_small(path: Path) -> None:
    assert "vendor" in path.parts or len(path.read_text().splitlines()) < 300
