"""`manage.py seal_training_set`."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from chat.models import TrainingSet
from chat.training import manifest, sealing


class Command(BaseCommand):
    help = (
        "Hold a built set against what may train now, take out what may not, and close it: its hash goes to the "
        "ledger. Withdrawals and deletions that come at the same moment wait, and are on the drop list of every run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("set", type=UUID, help="its key, which is the name of its folder")

    def handle(self, *args: Any, **options: Any) -> None:
        found = TrainingSet.objects.filter(public_id=options["set"]).first()
        if found is None:
            raise CommandError("There is no such set.")
        try:
            done = sealing.seal(found)
        except sealing.NotToBeSealed as refused:
            raise CommandError(
                "Only a set that is built, with the filter, and not sealed yet can be sealed."
            ) from refused
        except manifest.Damaged as damaged:
            raise CommandError(f"{damaged} is missing, or is not what was written.") from damaged
        self.stdout.write(self.style.SUCCESS(f"Sealed: {done.folder}, manifest {done.manifest_hash}"))
