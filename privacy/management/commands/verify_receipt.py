"""`manage.py verify_receipt FILE`: does a receipt hold? Needs no database and no network."""

import json
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
            receipt = checking.read(_text(options["file"]))
            kept = _keys(options["keys"]) if options["keys"] else None
            for line in checking.check(receipt, kept):
                self.stdout.write(f"ok  {line}")
        except checking.Flaw as flaw:
            raise CommandError(f"The receipt does not hold. {flaw}", returncode=1) from None
        self.stdout.write(self.style.SUCCESS("The receipt holds."))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise checking.Flaw(f"{path} cannot be read as text: {type(error).__name__}.") from error


def _keys(path: Path) -> list[dict[str, Any]]:
    try:
        listed = json.loads(_text(path))["keys"]
    except (ValueError, KeyError, TypeError) as error:
        raise checking.Flaw(f"{path} holds no keys.") from error
    if not isinstance(listed, list):
        raise checking.Flaw(f"{path} holds no keys.")
    return listed
