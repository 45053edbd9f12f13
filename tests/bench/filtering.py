"""What the filter finds of 1,300 labelled messages in five languages: precision and recall by type. By hand.

    uv run python -m tests.bench.filtering [--seed 1] [--missed 20]

Who wrote the messages (tests/bench/labelled) had not read the filter's rules. A value is replaced if findings cover all
of it, whatever they took it for; left out if the filter was not sure of something in its message; else it is let
through. Recall is the share that is not let through; precision the share of findings of a type that touch any value.
"""

import argparse
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from tests.bench.labelled import SEED, Label, Message, messages
from tests.bench.labelled.writing import KINDS

SAID = {"ID": "NATIONAL", "KEY": "SECRET"}  # placeholders that are called otherwise than the labels


@dataclass
class Measured:
    """Counts by type of label, and of findings by what they were taken for."""

    values: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    out: Counter[bool] = field(default_factory=Counter)  # messages that are left out, by whether they have any value
    missed: list[str] = field(default_factory=list)

    def recall(self, kind: str) -> float:
        return (self.replaced[kind] + self.left_out[kind]) / self.values[kind]

    def precision(self, kind: str) -> float:
        return self.right[kind] / self.findings[kind] if self.findings[kind] else 1.0


def measure(sample: list[Message]) -> Measured:
    from chat.training import filtering

    measured = Measured()
    for message in sample:
        measured.values.update(label.kind for label in message.labels)
        try:
            found = [(one.start, one.end, SAID.get(one.kind, one.kind)) for one in filtering.find(message.text)]
        except (filtering.Unsure, filtering.Unreadable):
            measured.left_out.update(label.kind for label in message.labels)
            measured.out[bool(message.labels)] += 1
            continue
        for start, end, kind in found:
            measured.findings[kind] += 1
            measured.right[kind] += any(start < label.end and label.start < end for label in message.labels)
        for label in message.labels:
            if _covered(label, found):
                measured.replaced[label.kind] += 1
            else:
                around = message.text[max(label.start - 30, 0) : label.end + 10]
                measured.missed.append(f"{message.language} {label.kind}: {around!r}")
    return measured


def _covered(label: Label, found: list[tuple[int, int, str]]) -> bool:
    return any(start <= label.start and label.end <= end for start, end, _ in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--missed", type=int, default=0, help="print so many of what was let through, names apart")
    parser.add_argument("--seed", type=int, default=SEED, help="other values in other sentences of the same kind")
    options = parser.parse_args()
    import django

    django.setup()
    sample = messages(options.seed)
    measure(sample[:5])  # libraries load
    began = time.perf_counter()
    measured = measure(sample)
    took = (time.perf_counter() - began) / len(sample) * 1000
    print(f"{len(sample)} messages, {took:.1f} ms each; left out as unsure: {measured.out[True]} with a value,")
    print(f"{measured.out[False]} without one")
    print("| type | values | replaced | left out | let through | recall | precision |\n|---|---|---|---|---|---|---|")
    for kind in KINDS:
        values, replaced, left = (by[kind] for by in (measured.values, measured.replaced, measured.left_out))
        rates = f"{measured.recall(kind):.3f} | {measured.precision(kind):.3f}"
        print(f"| {kind} | {values} | {replaced} | {left} | {values - replaced - left} | {rates} |")
    print("other findings:", {kind: count for kind, count in measured.findings.items() if kind not in KINDS})
    missed = [one for one in measured.missed if " NAME: " not in one]
    for one in Random(1).sample(missed, min(options.missed, len(missed))):
        print(one)


if __name__ == "__main__":
    main()
