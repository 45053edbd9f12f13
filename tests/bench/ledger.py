"""What evidence costs: recording beside a bare insert, building the tree, verifying all. By hand: docs/benchmarks.md.

    uv run python -m tests.bench.ledger --events 100000

Own engines, started and thrown away. A choice is two events of one person in one transaction; the bare insert writes
the same rows by the same ORM into a table without keys, chains or triggers, in the same transactions. Both by turns, so
that what the machine is busy with weighs on both.
"""

import argparse
import os
import resource
import time
from collections.abc import Callable
from tempfile import TemporaryDirectory

from tests.engines import Engines

CHOICES = 1_000
PER_PERSON = 20  # events


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    arguments = parser.parse_args()
    with Engines(valkey=False) as engines, TemporaryDirectory() as data:
        os.environ.update(engines.addresses, DJANGO_SETTINGS_MODULE="config.settings", PARLEY_DATA_DIR=data)
        import django

        django.setup()
        from tests import database

        database.create("parley_bench")
        measure(arguments.events)


def measure(wanted: int) -> None:
    from privacy import rebuilding
    from privacy.evidence import tree, verification
    from privacy.models import Event

    people = newcomers(max(wanted // PER_PERSON, 1))
    bare, recorded = recording(people)
    say("bare insert, choices a second", bare)
    say("recorded, choices a second", recorded, bare)
    began = time.perf_counter()
    filled = fill(people, wanted - Event.objects.count())
    say("recorded in tens, events a second", filled / (time.perf_counter() - began))
    before = resident()
    events = Event.objects.count()
    say("built, events a second", events / timed(tree.build))
    say("  memory grew by, MB", resident() - before)
    before = resident()
    findings: list[verification.Finding] = []
    seconds = timed(lambda: findings.extend(verification.verify(show=lambda check, rows: None)))
    assert not [finding.bad for finding in findings if finding.bad], findings
    say("verified, events a second", events / seconds)
    say("  memory grew by, MB", resident() - before)
    settle()
    differences: list[rebuilding.Difference] = []
    seconds = timed(lambda: differences.extend(rebuilding.differences(lambda compared: None)))
    assert not differences, differences[0]
    say("standings compared, people a second", len(people) / seconds)
    recorded_last = Event.objects.order_by("-pk").first()
    assert recorded_last
    say("a proof, milliseconds", 1_000 * timed(lambda: tree.proof_of(recorded_last)))
    say("a build with nothing new, milliseconds", 1_000 * timed(tree.build))
    say("the hourly build, milliseconds", 1_000 * timed(lambda: tree.build(everything=True)))


def newcomers(number: int) -> list:
    from accounts.models import User

    return User.objects.bulk_create([User(email=f"{n}@parley.example") for n in range(number)], batch_size=5_000)


def recording(people: list) -> tuple[float, float]:
    """Choices a second: bare, and through the ledger."""
    from django.db import connection, models, transaction

    from privacy import ledger
    from privacy.models import Event
    from privacy.vocabulary import Act, Source
    from tests import database

    with database.owner() as owner:
        owner.execute("CREATE TABLE bare (LIKE privacy_event INCLUDING DEFAULTS INCLUDING IDENTITY)")
        owner.execute("GRANT ALL ON bare TO PUBLIC")

    fields = {field.name: field.clone() for field in Event._meta.fields}
    meta = type("Meta", (), {"app_label": "bench", "db_table": "bare", "managed": False})
    Bare = type("Bare", (models.Model,), {**fields, "Meta": meta, "__module__": __name__})
    entries = [ledger.Entry(act, detail={"epoch": 1}) for act in (Act.HISTORY_NOT_KEPT, Act.HISTORY_KEPT)]
    times = [0.0, 0.0]
    for number in range(CHOICES):
        person = people[number % len(people)]
        began = time.perf_counter()
        events = ledger.record_all(entries, source=Source.PAGE, subject=person, actor=person)
        times[1] += time.perf_counter() - began
        copies = [Bare(**{name: getattr(event, name) for name in fields if name != "id"}) for event in events]
        began = time.perf_counter()
        with transaction.atomic():
            Bare._default_manager.bulk_create(copies)
        times[0] += time.perf_counter() - began
    connection.close()
    return CHOICES / times[0], CHOICES / times[1]


def fill(people: list, wanted: int) -> int:
    from django.db import transaction

    from privacy import ledger
    from privacy.vocabulary import Act, Source

    entries = [ledger.Entry(Act.HISTORY_KEPT, detail={"epoch": n}) for n in range(10)]
    written = 0
    while written < wanted:
        with transaction.atomic():
            for person in people[(written // 10) % len(people) :][:50]:
                ledger.record_all(entries, source=Source.PAGE, subject=person, actor=person)
                written += 10
    return written


def settle() -> None:
    """Give everybody the standing that their events tell."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO privacy_standing (user_id, despite_gpc, keep_history, epoch, since)"
            " SELECT DISTINCT ON (user_id) user_id, false, true, (detail->>'epoch')::int, at"
            " FROM privacy_event AS event JOIN privacy_subject AS subject ON subject.key = event.subject"
            " ORDER BY user_id, event.id DESC"
        )


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def resident() -> float:
    """The most memory this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(what: str, number: float, beside: float = 0) -> None:
    ratio = f"  ({number / beside:.2f} of it)" if beside else ""
    print(f"{what:42}{number:12,.1f}{ratio}", flush=True)


if __name__ == "__main__":
    main()
