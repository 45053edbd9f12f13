"""`manage.py verify_receipt FILE`: does a receipt hold? Needs no database and no network."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy.evidence import checking


class Command(BaseCommand):
    help = "Check a receipt with nothing but its file: what was chosen, its place in the ledger, the signature over it."
    requires_system_checks: list[str] = []  # some ask the database

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--keys", type=Path, metavar="FILE", help="A keys.json that was kept from /.well-known/parley/ earlier."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            lines = checking.check(options["file"], options["keys"])
        except checking.Flaw as flaw:
            raise CommandError(str(flaw), returncode=1) from None
        for line in lines:
            self.stdout.write(line)
