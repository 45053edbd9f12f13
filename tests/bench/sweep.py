"""The sweep beside bare statements, and beside people who write. By hand, on a quiet machine: docs/benchmarks.md.

    uv run python -m tests.bench.sweep

Own engines with the settings of `up`, which are printed. The sweep is the product's own command in a process of its
own, with its chunks, tombstones, ledger, outbox and pace. The aims: at least 0.7 of the rows a second of the best bare
statement, at flat memory; and while people write, the 95th percentile of their writes within twice that without it.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from tests.bench import many

ROOT = Path(__file__).resolve().parent.parent.parent
LOADED = "loaded"
DUE = "SELECT id FROM chat_conversation WHERE purge_after <= now()"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=200_000, help="half of them are due")
    parser.add_argument("--rate", type=float, default=40, help="writes a second beside the sweep")
    parser.add_argument("--seconds", type=float, default=8, help="of each of the two halves of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["alone", "beside"], help="one of the two measurements")
    parser.add_argument("--scattered", action="store_true", help="what is due lies all over the tables")
    options = parser.parse_args()
    with many.engines():
        many.load(LOADED, options.conversations, scattered=options.scattered)
        if options.only != "beside":
            alone(options.conversations)
        if options.only != "alone":
            beside(options)


# --- Alone ----------------------------------------------------------------------


def alone(conversations: int) -> None:
    """Rows a second of each bare statement and of the sweep; its memory for a fifth of the work and for all."""
    rows = conversations // 2 * (1 + many.MESSAGES)
    rates = {}
    for name, act in BARE.items():
        with many.copy_of(LOADED) as copy, many.session(copy) as one:
            began = time.perf_counter()
            act(one, copy)
            rates[name] = rows / (time.perf_counter() - began)
            left = one.execute(f"SELECT count(*) FROM ({DUE}) AS due").fetchone()
            assert left == (0,), left
        print(f"{name:52}{rates[name]:12,.0f} rows/s", flush=True)
    best = max(rates.values())
    memory = []
    for part in (5, 1):
        with many.copy_of(LOADED) as copy:
            if part > 1:
                with many.session(copy) as one:
                    later = "UPDATE chat_conversation SET purge_after = now() + interval '1 day' WHERE id %% %s > 0"
                    one.execute(later + " AND purge_after <= now()", [part])
                time.sleep(2.5)
            seconds, peak = swept(copy, expected=conversations // 2 // part)
            memory.append(peak)
            rate = rows / part / seconds
            name = f"the sweep, {conversations // 2 // part:,} conversations"
            print(f"{name:52}{rate:12,.0f} rows/s  ({rate / best:.2f} of the best)  peak {peak:.0f} MB", flush=True)
    print(f"memory grew by {memory[1] - memory[0]:.1f} MB", flush=True)


def _one_delete(one: "psycopg.Connection[Any]", _copy: str) -> None:
    with one.transaction():
        one.execute(f"DELETE FROM chat_message WHERE conversation_id IN ({DUE})")
        one.execute("DELETE FROM chat_conversation WHERE purge_after <= now()")


def _by_keys(one: "psycopg.Connection[Any]", _copy: str) -> None:
    keys = [key for (key,) in one.execute(f"{DUE} ORDER BY purge_after")]
    for start in range(0, len(keys), 1_000):
        with one.transaction():
            chunk = keys[start : start + 1_000]
            one.execute("DELETE FROM chat_message WHERE conversation_id = ANY(%s)", [chunk])
            one.execute("DELETE FROM chat_conversation WHERE id = ANY(%s)", [chunk])


BARE: dict[str, Callable[["psycopg.Connection[Any]", str], None]] = {
    "bare: one DELETE per table, messages first": _one_delete,
    "bare: chunks of 1,000 by = ANY, messages first": _by_keys,
}


def swept(copy: str, expected: int) -> tuple[float, float]:
    """Seconds that the sweep took by its own record, and the most memory of its process in MB."""
    process = started(copy)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    with many.session(copy) as one:
        found = one.execute(
            "SELECT purged, rows, extract(epoch FROM finished_at - started_at), chunks, (SELECT count(*) FROM"
            " privacy_tombstone), (SELECT count(*) FROM privacy_outbox) FROM privacy_sweeprun ORDER BY id DESC LIMIT 1"
        ).fetchone()
    assert found and process.returncode == 0, (found, process.returncode)
    purged, rows, seconds, chunks, stones, waiting = found
    assert purged == expected == stones and rows == expected * (1 + many.MESSAGES) and not waiting, found
    print(f"    {purged:,} conversations, {rows:,} rows, {chunks:,} chunks, {seconds:.1f} s", flush=True)
    return float(seconds), usage.ru_maxrss / 1024


def started(copy: str) -> "subprocess.Popen[bytes]":
    variables = os.environ | {"DATABASE_URL": many.url(copy)}
    command = [sys.executable, "manage.py", "sweep_retention"]
    return subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL)


# --- Beside people who write ------------------------------------------------------


def beside(options: argparse.Namespace) -> None:
    """The 95th percentile of writes without the sweep and beside it, by turns; the median of the rounds counts."""
    ratios = []
    with many.copy_of(LOADED) as copy, many.session(copy) as one:
        for number in range(options.rounds):
            idle = written(copy, options.rate, options.seconds)
            process = started(copy)
            until(lambda: one.execute("SELECT count(*) FROM privacy_sweeprun WHERE chunks > 0 AND finished_at IS NULL"))
            before = purged(one)
            busy = written(copy, options.rate, options.seconds)
            went = (purged(one) - before) / options.seconds
            ended = process.poll() is not None
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            assert not ended, "the sweep came to its end too soon: more conversations, or fewer seconds"
            ratios.append(busy[1] / idle[1])
            print(
                f"round {number + 1}: idle {ms(idle)}; beside the sweep {ms(busy)}; ratio of p95 {ratios[-1]:.2f};"
                f" {went:,.0f} conversations/s purged, load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    print(f"p95 beside the sweep, median of {len(ratios)}: {statistics.median(ratios):.2f} of idle (aim: at most 2)")


def purged(one: "psycopg.Connection[Any]") -> int:
    found = one.execute("SELECT coalesce(sum(purged), 0) FROM privacy_sweeprun").fetchone()
    return int(found[0]) if found else 0


def until(asked: Callable[[], Any]) -> None:
    for _ in range(600):
        found = asked().fetchone()
        if found and found[0]:
            return
        time.sleep(0.05)
    raise SystemExit("The sweep did not begin.")


def written(copy: str, rate: float, seconds: float) -> tuple[float, float, float]:
    """Latencies in milliseconds (median, p95, p99) of writes at a fixed rate, by processes of their own."""
    command = [sys.executable, "-m", "tests.bench.writers", many.url(copy), str(rate), str(seconds)]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    taken = sorted(float(line) for line in said.split())
    assert len(taken) > rate * seconds * 0.9, f"only {len(taken)} writes"
    return tuple(taken[int(len(taken) * part)] for part in (0.5, 0.95, 0.99))  # type: ignore[return-value]


def ms(taken: tuple[float, float, float]) -> str:
    return "p50 {:.1f} p95 {:.1f} p99 {:.1f} ms".format(*taken)


if __name__ == "__main__":
    main()
