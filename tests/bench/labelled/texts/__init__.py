"""What messages are made of: sentences, forms and documents, in a file for each language.

"= key: a | b" is a row of choices, "* " starts a template, ⏎ is a line break, "# " begins a section. {KIND} puts a
labelled value, {lower} a look-alike; {A} {B} {C} put a phrase from any of the rows, so that a sentence does not give
away what stands in it. In a row named after a kind the first choice is the heading used in forms.
"""

from pathlib import Path

LANGUAGES = ("en", "de", "fr", "es", "it")


def read(block: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The rows of choices and the sections of templates in one of the texts above."""
    rows: dict[str, list[str]] = {}
    sections: dict[str, list[str]] = {}
    section: list[str] = []
    for line in block.strip().split("\n"):
        if line.startswith("# "):
            section = sections.setdefault(line[2:], [])
        elif line.startswith("= "):
            key, _, choices = line[2:].partition(": ")
            rows[key] = choices.split(" | ")
        else:
            section.append(line.removeprefix("* ").replace("⏎", "\n"))
    return rows, sections


def _of(name: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    return read(Path(__file__).with_name(f"{name}.txt").read_text())


TEXTS = {language: _of(language) for language in LANGUAGES}
COMMON = _of("common")[0]
LABELLED_DOCUMENTS, CLEAN_DOCUMENTS = _of("documents")[1].values()
