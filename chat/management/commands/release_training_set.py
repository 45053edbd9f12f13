"""`manage.py release_training_set`."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from chat.models import TrainingSet
from chat.training import filtering, manifest, sealing


class Command(BaseCommand):
    help = (
        "Let a sealed set be trained on, once its files are what its manifest says. From then on people read on the "
        "page of each chat that is in it that it is, and runs ask what to drop."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("set", type=UUID, help="its key, which is the name of its folder")

    def handle(self, *args: Any, **options: Any) -> None:
        found = TrainingSet.objects.filter(public_id=options["set"]).first()
        if found is None:
            raise CommandError("There is no such set.")
        try:
            done = sealing.release(found)
        except sealing.NotToBeReleased as refused:
            raise CommandError("Only a sealed set is released, and only once.") from refused
        except manifest.Damaged as damaged:
            raise CommandError(f"{damaged} is missing, or is not what was written.") from damaged
        self.stdout.write(self.style.SUCCESS(f"Released: {done.folder}, manifest {done.manifest_hash}"))
        floor = ", ".join(f"{kind} {share:.0%}" for kind, share in filtering.recall().items())
        names = "Names of other people are " + ("looked for." if filtering.names_model() else "in it: no model is set.")
        self.stdout.write(f"Of what the filter looks for it finds at the least: {floor}. {names}")
