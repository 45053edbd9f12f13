"""The house: imports go down only, and the policy is pure."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ["accounts", "privacy", "chat", "config"]  # from the ground up


def modules(room: str) -> list[Path]:
    return sorted(path for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts)


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            names |= {str(arg.value).split(".")[0] for arg in node.args if isinstance(arg, ast.Constant)}
    return names


@pytest.mark.parametrize("floor", range(len(FLOORS)))
def test_imports_go_down_only(floor):
    above = set(FLOORS[floor + 1 :])
    offenders = {str(path.relative_to(ROOT)): imported(path) & above for path in modules(FLOORS[floor])}
    assert {path: names for path, names in offenders.items() if names} == {}


@pytest.mark.parametrize("name", ["policy", "vocabulary"])
def test_the_policy_is_pure(name):
    pure = {"calendar", "dataclasses", "datetime", "enum", "privacy"}
    path = ROOT / "privacy" / f"{name}.py"
    assert imported(path) <= pure
    within = {node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)}
    assert {module for module in within if module and module.startswith("privacy")} <= {"privacy.vocabulary"}


def test_all_code_asks_the_one_clock():
    """`datetime.now`, `timezone.now` and the like stand in accounts/clock.py alone."""
    offenders = []
    for room in FLOORS:
        for path in modules(room):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and ast.unparse(node) in {
                    *("datetime.now", "datetime.utcnow", "timezone.now", "date.today", "datetime.datetime.now"),
                    *("datetime.date.today", "time.time"),
                }:
                    offenders.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert [place for place in offenders if not place.startswith("accounts/clock.py")] == []


def test_only_the_demonstration_goes_back_in_time():
    """`clock.back_at` stands in its own module and in config/demo, and nothing but `manage.py demo` loads that."""
    telling, loading = set(), set()
    for room in FLOORS:
        for path in modules(room):
            place, text = str(path.relative_to(ROOT)), path.read_text()
            telling |= {place} if re.search(r"\b_?back_at\b", text) else set()
            loading |= {place} if "config.demo" in text or "from config import demo" in text else set()
    assert {place for place in telling if not place.startswith("config/demo/")} == {"accounts/clock.py"}
    assert {place for place in loading if not place.startswith("config/demo/")} == {
        "config/management/commands/demo.py"
    }


def test_rooms_are_readable():
    """One subject a file; past 300 lines there are two. Settings are one file, whatever its length."""
    long = {
        str(path.relative_to(ROOT)): lines
        for room in FLOORS
        for path in modules(room)
        if (lines := len(path.read_text().splitlines())) > 300 and path.name != "settings.py"
    }
    assert long == {}
