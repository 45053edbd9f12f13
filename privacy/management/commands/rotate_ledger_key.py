"""`manage.py rotate_ledger_key`: a new key signs the ledger's heads, or with --mac authenticates its events."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy.evidence import keys, rotation


class Command(BaseCommand):
    help = (
        "Replace the key that signs the ledger's heads; the new one is vouched for by the old, whose secret half is "
        "then gone. With --mac: replace the key that authenticates events; the old one is kept, for checking."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mac", action="store_true", help="the key that authenticates events")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["mac"]:
                self.stdout.write(f"Events are authenticated with {rotation.rotate_mac_key()}.")
                self.stdout.write("Restart the processes: until then they go on with the one before.")
            else:
                new = rotation.rotate_signing_key()
                self.stdout.write(f"Heads are signed with {new.key_id} from {new.from_at:%Y-%m-%d %H:%M:%S} UTC on.")
        except (rotation.NothingToRotate, keys.NoSigningKey) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Back the secrets up anew, and keep a copy of /.well-known/parley/keys.json elsewhere.")
