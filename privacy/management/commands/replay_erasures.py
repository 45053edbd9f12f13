"""Letting a restored database know what was deleted, erased, withdrawn and held since its backup."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy.guard import log, replaying

WORDS = {
    "deleted": "chats that people deleted",
    "restored": "deletions that were taken back",
    "purged": "purges",
    "answered": "answers on training",
    "agreed": "agreements of Work workspaces",
    "hold": "legal holds that were placed or released",
    "flag": "safety reviews that were begun or ended",
    "leaving": "accounts that were to be deleted",
    "stayed": "people who came back",
    "erased": "accounts that were erased",
    "head": "heads of the ledger that were published",
}


class Command(BaseCommand):
    help = "Carry out again what the log outside the database knows and the database does not (docs/restoring.md)."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *_: Any, dry_run: bool = False, **options: Any) -> None:
        try:
            report = replaying.replay(dry_run=dry_run)
        except log.Broken as broken:
            raise CommandError(
                f"The log is broken: {broken}. Nothing after that line was read.", returncode=3
            ) from None
        if not report.found:
            self.stdout.write(f"This database knows everything that {log.place()} does. {report.head}")
        for kind, count in report.found.items():
            done = "would be carried out" if dry_run else f"concerned {report.done[kind]:,} things that it has"
            said = f"{count:,} {WORDS.get(kind, kind)} that this database did not know"
            self.stdout.write(f"{said}." if kind == "head" else f"{said}: {done}.")
        if report.found:
            self.stdout.write(report.head)
        if report.forked:
            raise CommandError("The ledger is not the one whose heads were published.", returncode=4)
