"""Does it matter which answer stands first? Pure."""

from dataclasses import dataclass
from math import sqrt

Z = 1.96  # of 95 %


@dataclass(frozen=True)
class Split:
    """How people answered who saw one form of the question."""

    allow: int
    deny: int

    @property
    def people(self) -> int:
        return self.allow + self.deny

    @property
    def share(self) -> float:
        """Of those who answered, how many allowed: 0 to 1."""
        return self.allow / self.people if self.people else 0.0

    @property
    def percent(self) -> str:
        return f"{self.share * 100:.1f}"


@dataclass(frozen=True)
class Difference:
    """By how much the share of Allow differs, and between which bounds chance leaves it: each -1 to 1."""

    value: float
    low: float
    high: float

    @property
    def by_chance(self) -> bool:
        """Whether chance alone explains it."""
        return self.low <= 0 <= self.high


def difference(one: Split, other: Split) -> Difference:
    """The difference of the shares, with the 95 % interval of Agresti and Caffo (The American Statistician 54, 2000).

    It adds one Allow and one Don't allow to both sides, which keeps the interval honest for small numbers.
    """
    left, right = (Split(split.allow + 1, split.deny + 1) for split in (one, other))
    spread = Z * sqrt(sum(split.share * (1 - split.share) / split.people for split in (left, right)))
    middle = left.share - right.share
    return Difference(one.share - other.share, max(-1.0, middle - spread), min(1.0, middle + spread))
