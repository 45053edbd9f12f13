"""`manage.py release_training_set`."""

from django.core.management.base import CommandError

from chat.management.sets import SetCommand
from chat.models import TrainingSet
from chat.training import filtering, sealing


class Command(SetCommand):
    help = (
        "Let a sealed set be trained on, once its files are what its manifest says. From then on people read on the "
        "page of each chat that is in it that it is, and runs ask what to drop."
    )

    def act(self, found: TrainingSet) -> None:
        try:
            done = sealing.release(found)
        except sealing.NotToBeReleased as refused:
            raise CommandError("Only a sealed set is released, and only once.") from refused
        self.stdout.write(self.style.SUCCESS(f"Released: {done.folder}, manifest {done.manifest_hash}"))
        floor = ", ".join(f"{kind} {share:.0%}" for kind, share in filtering.recall().items())
        names = "Names of other people are " + ("looked for." if filtering.names_model() else "in it: no model is set.")
        self.stdout.write(f"Of what the filter looks for it finds at the least: {floor}. {names}")
