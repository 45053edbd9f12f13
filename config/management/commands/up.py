"""`manage.py up`. manage.py itself calls config.up.command, before Django is loaded; this lists it among the others."""

import argparse
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand

from config.environment import BASE_DIR
from config.up.command import HELP, add_arguments


class Command(BaseCommand):
    help = HELP
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Begin anew without Django in the process (reached by `django-admin up`)."""
        os.execv(sys.executable, [sys.executable, str(BASE_DIR / "manage.py"), *sys.argv[1:]])  # noqa: S606
