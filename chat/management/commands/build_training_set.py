"""`manage.py build_training_set`: a training set of what may train now."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.models import TrainingSet
from chat.training import chunks, outcomes, snapshot


class Command(BaseCommand):
    help = (
        "Write every conversation that may train now into a new training set, filtered, a chunk after the other. "
        "What may not train any more by the time it is read is left out and counted. The set is no set to train on "
        "before it is sealed and released. Ctrl-C or SIGTERM ends it after the chunk at hand; background workers, or "
        "--resume, go on from there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reason", nargs="?", default="", help="what it is for; auditors read it in the ledger")
        parser.add_argument("--resume", metavar="SET", help="go on with a set that was begun")
        parser.add_argument("--format", choices=TrainingSet.Format.values, default=TrainingSet.Format.PARQUET)
        parser.add_argument("--chunk", type=int, default=snapshot.CHUNK, help="conversations in one chunk")
        parser.add_argument(
            "--unfiltered", action="store_true", help="for benchmarks: nothing is filtered, and it is never sealed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        told: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _: told.append(received))
        made = self._set(options)
        self.stdout.write(f"{made.total:,} conversations may train.")
        if not chunks.work(made, stopping=lambda: bool(told)):
            self.stdout.write(f"{snapshot.unread(made):,} chunks are left. Go on with --resume {made.public_id}")
            return
        for outcome, count in sorted(snapshot.outcomes(made).items()):
            self.stdout.write(f"{count:>12,}  {outcomes.sentence_of(outcome)}")
        self.stdout.write(self.style.SUCCESS(f"Built: {made.folder}"))

    def _set(self, options: dict[str, Any]) -> TrainingSet:
        if key := options["resume"]:
            found = TrainingSet.objects.unfinished().filter(public_id=key).first()
            if found is None:
                raise CommandError("No set of this key is being built.")
            return found
        if not options["reason"].strip():
            raise CommandError("Say what the set is for.")
        return snapshot.begin(
            reason=options["reason"],
            format=options["format"],
            filtered=not options["unfiltered"],
            chunk=options["chunk"],
        )
