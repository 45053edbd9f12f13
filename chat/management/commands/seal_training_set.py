"""`manage.py seal_training_set`."""

from django.core.management.base import CommandError

from chat.management.sets import SetCommand
from chat.models import TrainingSet
from chat.training import sealing


class Command(SetCommand):
    help = (
        "Hold a built set against what may train now, take out what may not, and close it: its hash goes to the "
        "ledger. Withdrawals and deletions that come at the same moment wait, and are on the drop list of every run."
    )

    def act(self, found: TrainingSet) -> None:
        try:
            done = sealing.seal(found)
        except sealing.NotToBeSealed as refused:
            raise CommandError(
                "Only a set that is built, with the filter, and not sealed yet can be sealed."
            ) from refused
        self.stdout.write(self.style.SUCCESS(f"Sealed: {done.folder}, manifest {done.manifest_hash}"))
