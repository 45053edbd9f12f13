"""How long `manage.py up` takes until it is ready, on an empty folder and on what is there. By hand.

    uv run python -m tests.bench.starting

Real processes on folders of their own, some rounds. Beside each start stands one bare start of Django with the same
settings in the same round, as the measure of the machine. The aims: 15 seconds on an empty folder, 5 on one that is
there, of a machine with two cores and nothing else to do.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from config.environment import BASE_DIR
from tests.running import Up, environment

BARE = "import django; django.setup()"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rounds = [measured() for _ in range(options.rounds)]
    for name, taken in zip(("bare", "first", "next"), zip(*rounds, strict=True), strict=True):
        times = median(taken) / median(one[0] for one in rounds)
        print(f"{name}: {median(taken):.1f} s ({min(taken):.1f} to {max(taken):.1f}), {times:.1f} times the bare start")


def measured() -> tuple[float, float, float]:
    """Seconds: Django alone, `up` on an empty folder, `up` on the same folder again."""
    folder = Path(tempfile.mkdtemp(prefix="parley-starting-"))
    try:
        return bare(folder), started(folder, "first"), started(folder, "next")
    finally:
        shutil.rmtree(folder)


def bare(folder: Path) -> float:
    variables = environment() | {"PARLEY_DATA_DIR": str(folder / "bare"), "DJANGO_SETTINGS_MODULE": "config.settings"}
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", BARE], cwd=BASE_DIR, env=variables, check=True)
    return time.monotonic() - began


def started(folder: Path, name: str) -> float:
    up = Up(folder / "var", folder / name)
    taken = up.ready()
    up.stop()
    return taken


if __name__ == "__main__":
    main()
