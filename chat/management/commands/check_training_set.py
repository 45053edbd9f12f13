"""`manage.py check_training_set MANIFEST`: what a run must leave out, before it starts."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.training import checking, files


class Command(BaseCommand):
    help = (
        "Ask which conversations of a released set a run must drop: whatever was deleted, withdrawn, held or put under "
        "review since. The answer goes to a file, and the run is written down as one that asked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("manifest", type=Path, help="the set's manifest.json")
        parser.add_argument("--run", required=True, help="the name of the run that is about to start")
        parser.add_argument("--output", type=Path, help="where the answer goes; else drop.json beside the manifest")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["manifest"]
        if not path.is_file():
            raise CommandError("There is no such manifest.")
        try:
            answer = checking.check(manifest=files.hash_of(path), run=options["run"])
        except checking.NotReleased as refused:
            raise CommandError("This is the manifest of no released set: do not train on it.") from refused
        output = options["output"] or path.with_name("drop.json")
        output.write_text(json.dumps(answer.as_data(), indent=1) + "\n")
        self.stdout.write(self.style.SUCCESS(f"{len(answer.drop):,} conversations are to be dropped: {output}"))
