"""What Django itself says of the project: migrations match the models, and a deployment has no known weakness."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DEPLOYED = {"ALLOWED_HOSTS": "chat.example.org", "PUBLIC_ORIGIN": "https://chat.example.org"}


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py in a process of its own, which reads its own environment."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    "arguments", [("makemigrations", "--check", "--dry-run"), ("check", "--deploy", "--fail-level", "WARNING")]
)
def test_django_has_nothing_to_say(arguments):
    done = manage(*arguments, **DEPLOYED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stderr.lower(), done.stderr


def test_the_clock_cannot_be_moved_in_production(tmp_path):
    refused = manage("check", CLOCK_FILE=str(tmp_path / "clock"), **DEPLOYED)
    assert refused.returncode != 0
    assert "CLOCK_FILE moves the clock" in refused.stderr
    assert manage("check", CLOCK_FILE=str(tmp_path / "clock")).returncode == 0


@pytest.mark.parametrize(
    ("variables", "operator"),
    [
        ({}, "this machine"),
        ({"MODEL_URL": "http://127.0.0.1:9999/v1"}, "this machine"),
        ({"MODEL_URL": "https://models.example.org/v1"}, "models.example.org"),
        ({"MODEL_URL": "https://models.example.org/v1", "MODEL_OPERATOR": "Example Models"}, "Example Models"),
    ],
)
def test_who_receives_peoples_words_is_never_said_to_be_this_machine_by_default(variables, operator):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MODEL_")}
    said = subprocess.run(
        [sys.executable, "-c", "from config import settings; print(settings.MODEL['operator'])"],
        env={**clean, **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == operator
