"""The file of one person's data at 100 MB and at 1 GB of text: how long it takes, and its memory. By hand.

    uv run python -m tests.bench.exporting

Own engines with the settings of `up`, which are printed. Each file is made by the product's own code in a process of
its own, slice by slice. The aim: ten times the text takes no more than a tenth more memory. `--one` has all of it in a
single chat.
"""

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.bench import many

ROOT = Path(__file__).resolve().parent.parent.parent
EACH, SIZE = 20, 2_500  # messages of a chat, bytes of a message
MAKE = """
import resource, time, django
django.setup()
from accounts.models import User
from privacy.exporting import asking, making
from privacy.models import Export
print("begun", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
export = asking.ask(User.objects.get())
slices, longest = 0, 0.0
while export.state == Export.State.MAKING:
    began = time.perf_counter()
    making.work(export.pk)
    slices, longest = slices + 1, max(longest, time.perf_counter() - began)
    export.refresh_from_db()
    print("so far", export.state, export.done, export.total, flush=True)
assert export.state == Export.State.READY, export.state
print("said", slices, round(longest, 1), export.bytes, export.members)
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1_000)
    parser.add_argument("--one", action="store_true", help="all of it in a single chat")
    options = parser.parse_args()
    with many.engines():
        peaks = [measured(size, one=options.one) for size in (options.megabytes // 10, options.megabytes)]
        print(f"memory: {peaks[1] / peaks[0]:.2f} times as much for ten times the text", flush=True)


def measured(megabytes: int, *, one: bool) -> int:
    """Seconds, the longest slice and sizes, printed; returns the peak memory in kilobytes."""
    messages = megabytes * 1_000_000 // SIZE
    load(f"export{megabytes}", messages, messages if one else EACH)
    folder = Path(os.environ["PARLEY_DATA_DIR"]) / f"exports{megabytes}"
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MAKE],
        cwd=ROOT,
        env=os.environ | {"EXPORTS_DIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    took = time.perf_counter() - began
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    slices, longest, size, members = said["said"].split()
    (file,) = folder.glob("*.zip")
    subprocess.run(["unzip", "-tqq", str(file)], check=True)
    print(
        f"{megabytes:,} MB of text, {messages:,} messages: {took:.0f} s in {slices} slices, the longest {longest} s;"
        f" {int(size) / 1e6:,.0f} MB with {members} members; peak {int(said['peak']) / 1024:,.0f} MB,"
        f" {int(said['begun']) / 1024:,.0f} of them before it begins",
        flush=True,
    )
    file.unlink()
    return int(said["peak"])


def load(name: str, messages: int, each: int) -> None:
    """A database with one person, who wrote so many messages, `each` of them in a chat."""
    from django.db import connection

    from accounts.models import Membership
    from tests import database

    database.create(name)
    ((person, place),) = many._people(1)
    Membership.objects.create(user_id=person, workspace_id=place, role=Membership.Role.OWNER)
    connection.close()
    with many.session(name) as one:
        with one.transaction():
            one.execute("SET CONSTRAINTS ALL DEFERRED")
            many._copy(one, "chat_conversation", many.CONVERSATION, _conversations(person, place, messages // each))
            many._copy(one, "chat_message", many.MESSAGE, _messages(person, messages, each))
        one.execute("UPDATE chat_conversation SET leaf_id = id * %s", [each])
    with many.session(name, owner=True) as owner:
        owner.execute("VACUUM (ANALYZE)")
    os.environ["DATABASE_URL"] = many.url(name)


def _conversations(person: int, place: int, number: int) -> Iterator[tuple[Any, ...]]:
    chance, now, end = random.Random(1), datetime.now(UTC), datetime.now(UTC) + timedelta(days=20)
    for n in range(number):
        key = UUID(int=chance.getrandbits(128), version=4)
        facts = (now, None, now, False, False, False)
        yield n + 1, key, place, person, *facts, "standard", "denied", 1, end, end, f"Conversation {n}", "question"


def _messages(person: int, number: int, each: int) -> Iterator[tuple[Any, ...]]:
    chance, at = random.Random(2), datetime.now(UTC)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randrange(2, 11))) for _ in range(8_000)]
    texts = [" ".join(chance.choices(words, k=SIZE // 7))[:SIZE] for _ in range(2_000)]
    for n in range(number):
        first, answer, text = n % each == 0, n % 2, chance.choice(texts)
        key = UUID(int=chance.getrandbits(128), version=4)
        author, html = (None, f"<p>{text}</p>") if answer else (person, "")
        belongs = (n // each + 1, None if first else n, author, None)
        role = "assistant" if answer else "user"
        yield n + 1, key, *belongs, role, "complete", text, html, "", "SmolLM2", "this machine", at, at, 0


if __name__ == "__main__":
    main()
