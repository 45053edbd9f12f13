"""`manage.py check_tags`: does every conversation's tag say what the policy says? With --repair they are made to."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy import checking, everybody
from privacy.models import TagCheck


class Command(BaseCommand):
    help = (
        "Compare every stored tag with the policy, and count what differs by column, class and reason, with the keys "
        "of a few. Nothing is changed, and the background worker does the same every night. With --repair and a "
        "reason, all tags are made what the policy says; no end comes nearer than 30 days by it. The ledger notes it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--slow", action="store_true", help="judge one conversation after the other")
        parser.add_argument("--repair", metavar="REASON", help="make every tag what the policy says, for this reason")

    def handle(self, *args: Any, **options: Any) -> None:
        found = checking.check(slow=options["slow"])
        for line in _told(found):
            self.stdout.write(line)
        if not found.drifted:
            self.stdout.write(self.style.SUCCESS("No drift: every tag says what the policy says."))
        if options["repair"]:
            step = everybody.ask(options["repair"], queued=False)
            while not everybody.work(step, checking.never):
                pass
            step.refresh_from_db()
            self.stdout.write(self.style.SUCCESS(f"{step.changed:,} tags were made what the policy says."))
        elif found.drifted:
            raise CommandError(f"{found.drifted:,} tags drifted", returncode=1)


def _told(found: TagCheck) -> list[str]:
    lines = [f"{found.checked:,} tags were compared."]
    if found.waiting:
        lines.append(f"{found.waiting:,} wait for a re-tag or an erasure that is under way, and were not.")
    if found.drifted:
        lines += [f"    {count:,} differ in {column}" for column, count in sorted(found.by_column.items())]
        lines += [f"    {count:,} are stored as {stored}" for stored, count in sorted(found.by_reason.items())]
        lines += [f"    {one['kind']} {one['key']}: {', '.join(one['columns'])}" for one in found.examples]
    return lines
