"""No group of fewer than ten people is shown by itself, nor can one be worked out by taking the others from the whole.
Pure."""

from collections.abc import Mapping

SMALLEST = 10
OTHERS = ""  # the name of what is put together

Counts = dict[str, int]


def large_enough(counts: Mapping[str, int]) -> bool:
    """Whether a group of these people may be broken down at all."""
    return sum(counts.values()) >= SMALLEST


def shown(groups: Mapping[str, Counts]) -> dict[str, Counts]:
    """The groups that may be shown by name, the largest first; the rest together as `OTHERS`.

    What is put together has ten people or more, or nobody: where it would have fewer, the next smallest group joins.
    Returns nothing if everybody together are too few.
    """
    by_size = sorted(groups.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    by_size = [(name, counts) for name, counts in by_size if any(counts.values())]
    # Those without a name stand among the others, however many they are.
    hidden = [counts for name, counts in by_size if name == OTHERS]
    by_size = [(name, counts) for name, counts in by_size if name != OTHERS]
    while by_size and not large_enough(by_size[-1][1]):
        hidden.append(by_size.pop()[1])
    while hidden and by_size and sum(sum(counts.values()) for counts in hidden) < SMALLEST:
        hidden.append(by_size.pop()[1])
    together = added(hidden)
    if not large_enough(together):
        together = {}
    return dict(by_size) | ({OTHERS: together} if together else {})


def added(groups: list[Counts]) -> Counts:
    """Several groups as one."""
    total: Counts = {}
    for counts in groups:
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
    return total
