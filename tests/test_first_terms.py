"""FIRST_TERMS: an operator's own text, taken whole or refused with what to correct."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import override_settings

from privacy.first_terms import written

WHOLE = """
title = "Our terms"
published = 2024-05-01T08:00:00+02:00
summary = "One line.\\nAnother."
body = "## Words"
[retention]
training_years = 1
deletion_hours = 720
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "terms.toml"

    def write(text: str = WHOLE):
        path.write_text(text)
        return path

    return write


def test_what_is_written(file):
    found = written(file())
    assert found.pop("published_at") == datetime(2024, 5, 1, 6, tzinfo=UTC)
    assert found == {
        "title": "Our terms",
        "summary": "One line.\nAnother.",
        "body": "## Words",
        "training_years": 1,
        "deletion_hours": 720,
    }


def test_without_a_moment_they_are_published_when_they_are_read(file):
    assert "published_at" not in written(file('title = "t"\nsummary = "s"\nbody = "b"'))


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ('title = "Our terms"', "", "title is missing"),
        ('title = "Our terms"', "title = 7", "title is missing"),
        ("Our terms", "x" * 201, "longer than 200"),
        ('"One line.\\nAnother."', '"  "', "summary is missing"),
        ("One line.", "1\\n2\\n3\\n4\\n5", "more than 5 lines"),
        ("body =", "bdoy =", "bdoy is unknown; body is missing"),
        ("training_years", "years", "retention.years is unknown"),
        ("deletion_hours = 720", "deletion_hours = 721", "from 1 to 720"),
        ("training_years = 1", "training_years = 0", "from 1 to 100"),
        ("training_years = 1", "training_years = true", "from 1 to 100"),
        ("training_years = 1", "training_years = 1.5", "from 1 to 100"),
        ("[retention]", "[[retention]]", "retention is no table"),
        ("2024-05-01T08:00:00+02:00", "2024-05-01T08:00:00", "published is no moment"),
        ("2024-05-01T08:00:00+02:00", "2024-05-01", "published is no moment"),
        ("2024-05-01T08:00:00+02:00", "2999-05-01T08:00:00Z", "to come"),
        ("[retention]", "[retention", "no TOML"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_to_correct(file, before, after, why):
    assert before in WHOLE
    with pytest.raises(ImproperlyConfigured, match=why):
        written(file(WHOLE.replace(before, after)))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ImproperlyConfigured, match=r"absent\.toml cannot be read"):
        written(tmp_path / "absent.toml")


@pytest.mark.django_db
def test_a_database_that_has_begun_takes_no_other_first_terms(tmp_path):
    """What is named afterwards is not even read: published terms never change."""
    with override_settings(FIRST_TERMS=str(tmp_path / "absent.toml")):
        call_command("migrate", verbosity=0, interactive=False)
