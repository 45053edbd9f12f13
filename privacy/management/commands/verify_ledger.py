"""`manage.py verify_ledger`: is the ledger what was recorded? If not: exit code 1, and the first bad row named."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy.evidence import verification


class Command(BaseCommand):
    help = (
        "Check every event (hash, MAC, chain), the tree over them (positions, leaves, nodes), every signed head, the "
        "keys' vouchers, and the heads in heads.jsonl. Changes nothing; runs beside the product."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--head",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="Also check heads that were kept elsewhere: a head as published (JSON or note), or a heads.jsonl.",
        )
        parser.add_argument(
            "--keys",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="Also check that the keys begin with those of a keys.json that was kept elsewhere.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for path in (*options["head"], *options["keys"]):
            if not path.is_file():
                raise CommandError(f"there is no file {path}")
        bad = 0
        for finding in verification.verify(kept_heads=options["head"], kept_keys=options["keys"], show=self._show):
            bad += bool(finding.bad)
            self.stdout.write(
                self.style.ERROR(f"BAD {finding.check}: {finding.bad}")
                if finding.bad
                else f"ok  {finding.check}: {finding.rows:,}"
            )
        if waiting := verification.waiting():
            self.stdout.write(f"    events without a leaf yet: {waiting:,}")
        if bad:
            raise CommandError("the ledger is not what was recorded", returncode=1)
        self.stdout.write(self.style.SUCCESS("The ledger is what was recorded."))

    def _show(self, check: str, rows: int) -> None:
        self.stderr.write(f"    {check}: {rows:,} …")
