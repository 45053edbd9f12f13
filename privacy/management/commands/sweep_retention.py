"""`manage.py sweep_retention`: purge what is due now, or (`--dry-run`) say what would go and why."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from privacy import foretelling, pace, sweep
from privacy.models import SweepRun


class Command(BaseCommand):
    help = (
        "Purge for good every conversation whose time has come: what people deleted, once the time promised for that "
        "is over, and what has come to the end of its class. Nothing that is kept, held, under review or tagged under "
        "an earlier answer goes. Of what has come to its end, no more goes than the breaker lets through without "
        "staff. The background worker does the same every minute; to run it twice or beside that is harmless. "
        "Ctrl-C or SIGTERM ends it after the chunk at hand."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="change nothing, and say what would go and why")
        parser.add_argument("--chunk", type=int, default=pace.LARGEST, help="most conversations in one transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            for line in foretelling.foretell():
                self.stdout.write(line)
            return
        told: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _: told.append(received))
        sweep.sweep(chunk=options["chunk"], stopping=lambda: bool(told))
        run = SweepRun.objects.first()
        if run:
            stopped = f" It stopped early: {run.get_stopped_by_display()}." if run.stopped_by else ""
            self.stdout.write(f"{run.purged:,} conversations were purged in {run.chunks:,} chunks.{stopped}")
