"""What a bench says: a figure with its limit, printed as a JSON line."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. ``limit`` None: only told; ``at_least``: the limit is the least it may be."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False

    @property
    def ok(self) -> bool:
        """Whether it keeps its limit."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def line(self) -> str:
        """Return the JSON line."""
        fields = {"name": self.name, "value": round(self.value, 3), "unit": self.unit}
        return json.dumps({**fields, "limit": self.limit, "ok": self.ok})


def tell(figures: Iterable[Figure]) -> int:
    """Print figures as they come; 1 where one misses its limit."""
    missed = 0
    for figure in figures:
        print(figure.line(), flush=True)
        missed += not figure.ok
    return 1 if missed else 0


def p99(values: Sequence[float]) -> float:
    """Return the value that 99 of 100 do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[98]


def best_p99(values: Sequence[float], rounds: int) -> float:
    """Return the lowest p99 of the rounds that the values came in: other load on the machine only makes a round slower."""
    size = len(values) // rounds
    return min(p99(values[start : start + size]) for start in range(0, size * rounds, size))
