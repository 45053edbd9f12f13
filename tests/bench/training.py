"""Building a training set without its filter, beside a bare COPY of the same columns, and its memory. By hand.

    uv run python -m tests.bench.training

Own engines with the settings of `up`, which are printed. Each build is the product's own command in a process of its
own, asking for every conversation again as it reads it. The aims: at least half of the messages a second of the COPY,
and with ten times the messages no more than a tenth more memory. `--filter` measures some with the filter, too.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.bench import many

ROOT = Path(__file__).resolve().parent.parent.parent
MAY_TRAIN = """
UPDATE accounts_user SET date_of_birth = '1980-01-01';
UPDATE privacy_standing SET training = 'allow', terms_id = (SELECT min(id) FROM privacy_terms), since = now();
UPDATE chat_conversation SET begun_epoch = 1, tag_epoch = 1, tag_class = 'training', tag_reason = 'allowed',
    trains_until = last_activity_at + interval '5 years', hidden_from = last_activity_at + interval '5 years',
    purge_after = last_activity_at + interval '5 years';
"""
COPY = "COPY (SELECT conversation_id, public_id, role, text FROM chat_message ORDER BY conversation_id, id) TO STDOUT"
BUILD = """
import resource, sys
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "build_training_set", "A benchmark", *sys.argv[1:]])
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=200_000)
    parser.add_argument("--filter", type=int, default=0, help="conversations to filter as well")
    options = parser.parse_args()
    with many.engines():
        peaks = [measured(number) for number in (options.conversations // 10, options.conversations)]
        print(f"memory: {peaks[1] / peaks[0]:.2f} times as much for ten times the messages", flush=True)
        if options.filter:
            loaded(options.filter)
            took, _ = built("filtered", [])
            print(f"filtered: {options.filter * many.MESSAGES / took:,.0f} messages/s in one process", flush=True)


def measured(conversations: int) -> int:
    """Both rates, printed; returns the peak memory of the build in kilobytes."""
    name = loaded(conversations)
    messages = conversations * many.MESSAGES
    copied(name)  # into memory, for both the same
    bare = min(copied(name) for _ in range(2))
    took, peak = built("built", ["--unfiltered"])
    print(
        f"{messages:,} messages: COPY {messages / bare:,.0f}/s, build {messages / took:,.0f}/s,"
        f" {bare / took:.2f} of it; peak {peak / 1024:,.0f} MB",
        flush=True,
    )
    return peak


def loaded(conversations: int) -> str:
    name = f"train{conversations}"
    many.load(name, conversations, due=False)
    with many.session(name, owner=True) as owner:
        for statement in MAY_TRAIN.strip().split(";\n"):
            owner.execute(statement)
        owner.execute("VACUUM (ANALYZE)")
    os.environ["DATABASE_URL"] = many.url(name)
    return name


def copied(name: str) -> float:
    target = Path(os.environ["PARLEY_DATA_DIR"]) / "copied"
    began = time.perf_counter()
    with many.session(name) as one, target.open("wb") as file:
        with one.cursor().copy(COPY) as copy:
            for block in copy:
                file.write(block)
        os.fsync(file.fileno())
    return time.perf_counter() - began


def built(name: str, options: list[str]) -> tuple[float, int]:
    """Seconds and peak memory; what it takes to start is not counted."""
    command = [sys.executable, "-c", BUILD, *options]
    empty = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "import django; django.setup(); import pandas, chat.training.chunks"],
        cwd=ROOT,
        check=True,
    )
    began = time.perf_counter()
    folder = Path(os.environ["PARLEY_DATA_DIR"]) / name
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"TRAINING_DIR": str(folder)}, capture_output=True, text=True, check=True
    )
    return time.perf_counter() - began - (began - empty), int(done.stdout.rpartition("peak ")[2])


if __name__ == "__main__":
    main()
