"""Terms written down in a file: those that an installation begins with (`FIRST_TERMS`), where its operator has some.

TOML: `title`, `summary`, `body`; `published`, a moment, where these very terms were public before they came here; and
the durations that they promise, in a table `retention`. What the file leaves out is as Parley's own terms have it.
"""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from accounts import clock
from privacy.publishing import MOST_POINTS

TEXTS = ("title", "summary", "body")
# The most that each may be; one is the least.
DURATIONS = {"training_years": 100, "standard_days": 3_650, "temporary_hours": 8_760, "deletion_hours": 720}
LONGEST_TITLE = 200


def written(path: Path) -> dict[str, Any]:
    """The fields of `Terms` that the file gives. Raises ImproperlyConfigured, which says what to correct."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ImproperlyConfigured(f"The terms in {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"The terms in {path} are no TOML: {error}.") from error
    retention = given.pop("retention", {})
    published = given.pop("published", None)
    wrong = [*_text_problems(given), *_duration_problems(retention), *_moment_problems(published)]
    if wrong:
        raise ImproperlyConfigured(f"The terms in {path} cannot be used: {'; '.join(wrong)}.")
    return {**given, **retention} | ({"published_at": published} if published else {})


def _text_problems(given: dict[str, Any]) -> list[str]:
    wrong = [f"{name} is unknown" for name in given if name not in TEXTS]
    missing = [name for name in TEXTS if not isinstance(given.get(name), str) or not given[name].strip()]
    wrong += [f"{name} is missing" for name in missing]
    if "title" not in missing and len(given["title"]) > LONGEST_TITLE:
        wrong.append(f"title is longer than {LONGEST_TITLE} characters")
    if "summary" not in missing and sum(bool(line.strip()) for line in given["summary"].splitlines()) > MOST_POINTS:
        wrong.append(f"summary has more than {MOST_POINTS} lines")
    return wrong


def _duration_problems(retention: Any) -> list[str]:
    if not isinstance(retention, dict):
        return ["retention is no table"]
    wrong = [f"retention.{name} is unknown" for name in retention if name not in DURATIONS]
    for name in retention.keys() & DURATIONS.keys():
        if type(retention[name]) is not int or not 1 <= retention[name] <= DURATIONS[name]:
            wrong.append(f"retention.{name} is no whole number from 1 to {DURATIONS[name]}")
    return wrong


def _moment_problems(published: Any) -> list[str]:
    if published is None:
        return []
    if not isinstance(published, datetime) or published.tzinfo is None:
        return ["published is no moment with its offset, such as 2025-01-01T00:00:00Z"]
    return ["published is a moment to come"] if published > clock.now() else []
