"""What the documentation says exists, and what exists is said."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chat import errors as chat_errors
from chat import frames
from chat.providers.errors import FailureCode
from privacy.errors import ConsentRequired

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
PROTOCOL = (ROOT / "docs/protocol.md").read_text()
READS = (r'\benv\.\w+\(\s*"([A-Z_]+)"', r'\benviron(?:\.get\(|\[)"([A-Z_]+)"', r'\bgiven(?:\.get\(|\[)"([A-Z_]+)"')


def variables() -> set[str]:
    """Every variable that configuration reads from the environment, or that tests ask of it."""
    sources = [*ROOT.glob("config/**/*.py"), ROOT / "tests/browser.py"]
    return {name for path in sources for read in READS for name in re.findall(read, path.read_text())}


def test_every_variable_is_on_the_page():
    rows = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE))
    assert variables() - rows == set()


def test_the_page_names_no_variable_that_nothing_reads():
    named = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE))
    written = {"PYTHONUNBUFFERED", "DJANGO_SETTINGS_MODULE"}
    assert named - variables() - written == set()


# --- The protocol -------------------------------------------------------------


def examples() -> list[dict[str, Any]]:
    """The JSON of the page; each block must be valid."""
    return [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", PROTOCOL, re.MULTILINE | re.DOTALL)]


def sent_by_the_server() -> Iterator[tuple[str, set[str]]]:
    """The type and the fields of each frame that is written down as a dictionary."""
    for name in ("frames", "desk"):
        for node in ast.walk(ast.parse((ROOT / "chat" / f"{name}.py").read_text())):
            if isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                fields = {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}
                if isinstance(kind := fields.get("type"), ast.Constant):
                    yield str(kind.value), set(fields)


def test_every_frame_of_a_client_has_an_example_that_is_understood():
    shown = {example["type"] for example in examples() if example.get("type") in frames._INCOMING}
    assert set(frames._INCOMING) - shown == set()
    for example in examples():
        if example.get("type") in frames._INCOMING:
            frames.parse(json.dumps(example))


def test_every_frame_of_the_server_has_an_example_with_its_fields():
    shown = defaultdict(list)
    for example in examples():
        shown[example.get("type")].append(set(example))
    for kind, fields in sent_by_the_server():
        assert fields in shown[kind], f"{kind}: {sorted(fields)}"


def test_every_code_of_a_refusal_is_explained():
    refusals = [kind.code for kind in vars(chat_errors).values() if isinstance(kind, type) and hasattr(kind, "code")]
    for code in {*refusals, ConsentRequired.code, *FailureCode.values} - {chat_errors.Refused.code}:
        assert f"| `{code}` |" in PROTOCOL, code


# --- Pages --------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The headings of a page as addresses within it."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "", text)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    for link in links:
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_opens_with_the_two_commands():
    blocks = re.findall(r"^```\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert blocks[:2] == [
        "python3 -m pip install uv && uv run manage.py up\n",
        "python3 -m pip install uv && uv run pytest\n",
    ]


def test_the_readme_runs_the_pieces_as_up_runs_them():
    from config.up import children

    readme = (ROOT / "README.md").read_text()
    for child in (children.web(8000), children.background(), children.generation()):
        assert " ".join(("python", *child.command[1:])) in readme, child.name


def test_pictures_are_small():
    for picture in ROOT.glob("docs/*.png"):
        assert picture.stat().st_size < 300_000, picture
