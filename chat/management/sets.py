"""What commands on one training set share: it is named by its key, and an act that is not possible says why."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from chat.models import TrainingSet
from chat.training import manifest


class SetCommand(BaseCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("set", type=UUID, help="its key, which is the name of its folder")

    def handle(self, *args: Any, **options: Any) -> None:
        found = TrainingSet.objects.filter(public_id=options["set"]).first()
        if found is None:
            raise CommandError("There is no such set.")
        try:
            self.act(found)
        except manifest.Damaged as damaged:
            raise CommandError(f"{damaged} is missing, or is not what was written.") from damaged

    def act(self, found: TrainingSet) -> None:
        """Do it, and say so. Raises CommandError, Damaged."""
        raise NotImplementedError
