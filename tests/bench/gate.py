"""What the gate adds to beginning a turn. By hand: docs/benchmarks.md.

    uv run python -m tests.bench.gate -n 500

Own engines, started and thrown away. By turns, one question is asked through the gate and one past it: there the
standing is read as the tag needs it, but not locked, nobody asks whether it rests, and nothing is judged. The aim: less
than a millisecond between the medians.
"""

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from tests.engines import Engines

WARM = 20  # turns before the first that counts: statements are prepared, code is loaded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=500, help="turns of each kind")
    options = parser.parse_args()
    with Engines() as engines, TemporaryDirectory() as data:
        environment = {"DJANGO_SETTINGS_MODULE": "config.settings", "PARLEY_DATA_DIR": data}
        os.environ.update(engines.addresses | environment, MODEL_PROVIDER="scripted")
        import django

        django.setup()
        from tests import database

        database.create("parley_bench")
        measure(options.n)


def measure(turns: int) -> None:
    from tests import people, scenes

    alice = people.alice()
    scenes.decided(alice)
    times: dict[str, list[float]] = {"through the gate": [], "past it": []}
    for number in range(turns + WARM):
        for kind, way in (("through the gate", nullcontext()), ("past it", past_the_gate())):
            taken = one_turn(alice, way)
            if number >= WARM:
                times[kind].append(taken)
    medians = {kind: statistics.median(taken) for kind, taken in times.items()}
    for kind, median in medians.items():
        print(f"{kind:18}{median:8.2f} ms (median of {turns})")
    print(f"{'added':18}{medians['through the gate'] - medians['past it']:8.2f} ms (aim: under 1)")


def one_turn(person: Any, way: AbstractContextManager[Any]) -> float:
    """Milliseconds that a new question took. What it leaves is cleared away, so that none finds more than the last."""
    from chat.models import Conversation, SpentTurn
    from tests import scenes

    with way:
        begun = time.perf_counter()
        scenes.asked(person)
        taken = 1_000 * (time.perf_counter() - begun)
    Conversation.objects.all().delete()
    SpentTurn.objects.all().delete()
    return taken


@contextmanager
def past_the_gate() -> Iterator[None]:
    from privacy import gate
    from privacy.models import Standing

    def read(user_id: int) -> Standing | None:
        return next(iter(Standing.objects.select_related("terms", "user").filter(user_id=user_id)), None)

    with patch.object(Standing.objects, "for_turn", read), patch.object(gate, "require_open", lambda *facts: None):
        yield


if __name__ == "__main__":
    main()
