"""`manage.py rebuild_standing`: every person's standing is what the ledger tells. With --check it changes nothing."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from privacy import rebuilding


class Command(BaseCommand):
    help = (
        "Replay the ledger's events of every person and compare the result with their standing. Without --check, a "
        "standing that differs is made what the ledger tells, and the person's chats are tagged anew."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only compare; exit code 1 if anything differs")

    def handle(self, *args: Any, **options: Any) -> None:
        different = 0
        for difference in rebuilding.differences(self._show):
            different += 1
            self.stdout.write(str(difference))
            if not options["check"]:
                rebuilding.repair(User.objects.get(pk=difference.user))
        if different and options["check"]:
            raise CommandError(f"{different:,} standings are not what the ledger tells", returncode=1)
        done = f"{different:,} standings were made what the ledger tells." if different else ""
        self.stdout.write(self.style.SUCCESS(done or "Every standing is what the ledger tells."))

    def _show(self, compared: int) -> None:
        if compared % 20_000 == 0:
            self.stderr.write(f"    {compared:,} people …")
