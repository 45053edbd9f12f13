"""Languages, time zones and regions that a person can choose."""

import zoneinfo
from functools import cache
from importlib import resources
from pathlib import Path

from django.conf import settings

Choices = list[tuple[str, str]]


def languages() -> Choices:
    return [(code, str(name)) for code, name in settings.LANGUAGES]


@cache
def time_zones() -> Choices:
    """Zones named for a place (`Europe/Vienna`), and UTC."""
    names = {name for name in zoneinfo.available_timezones() if _is_place(name)}
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in sorted(names))]


def _is_place(name: str) -> bool:
    continents = {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian"}
    return name.partition("/")[0] in {*continents, "Pacific"} and "/" in name


@cache
def regions() -> Choices:
    """ISO 3166 countries by name, from the table that comes with the time zone data."""
    rows = (line.split("\t") for line in _iso3166().splitlines() if line and not line.startswith("#"))
    return sorted(((code, name) for code, name in rows), key=lambda region: region[1])


def _iso3166() -> str:
    for folder in zoneinfo.TZPATH:
        table = Path(folder, "iso3166.tab")
        if table.exists():
            return table.read_text(encoding="utf-8")
    return (resources.files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
