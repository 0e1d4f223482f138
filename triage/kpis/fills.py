"""Fills, added up as they are read: a tally needs the same memory for ten fills and for a million."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite, nan
from typing import TYPE_CHECKING

from triage.outside_numbers import real

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRUE = {"true", "1", "yes"}
_FALSE = {"false", "0", "no"}


def number(text: str | None) -> float:
    """Return the number a field holds, NaN where it holds none (``0E-10`` is zero, ``inf`` is none)."""
    try:
        value = real((text or "nan").strip())
    except ValueError:
        return nan
    return value if isfinite(value) else nan


@dataclass(slots=True)
class Sum:
    """A sum that knows how many of its terms were numbers."""

    total: float = 0.0
    terms: int = 0

    def add(self, value: float) -> None:
        """Add a number; NaN is left out."""
        if isfinite(value):
            self.total += value
            self.terms += 1

    @property
    def value(self) -> float | None:
        """Return the sum, None where there was nothing to add."""
        return self.total if self.terms else None


@dataclass(slots=True)
class FillTally:
    """The fills of a window. ``marks`` counts (buys, sells) by minute of the window, for the picture.

    ``start`` in epoch seconds. ``readable``: False where nothing is known of fills; ``missing`` says why.
    """

    start: float
    readable: bool = False
    missing: str = "no fills.csv"
    buys: int = 0
    sells: int = 0
    others: int = 0
    volume: Sum = field(default_factory=Sum)
    fees: Sum = field(default_factory=Sum)
    realized: Sum = field(default_factory=Sum)
    gains: Sum = field(default_factory=Sum)
    losses: Sum = field(default_factory=Sum)
    maker: Sum = field(default_factory=Sum)
    taker: Sum = field(default_factory=Sum)
    marks: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many fills there were."""
        return self.buys + self.sells + self.others

    def sum_of(self, amounts: Sum) -> float | None:
        """Return a sum over the fills: 0 of none, and None where fills there are and no amount of them is."""
        return amounts.total if self.readable and (amounts.terms or not self.count) else None

    def add(self, stamp: float, row: Mapping[str, str]) -> None:
        """Take one fill: its time in epoch seconds and its fields by name."""
        side = row.get("side", "").lower()
        buy, sell = side == "buy", side == "sell"
        self.buys += buy
        self.sells += sell
        self.others += not (buy or sell)
        minute = int((stamp - self.start) // 60)
        buys, sells = self.marks.get(minute, (0, 0))
        self.marks[minute] = (buys + buy, sells + sell)
        notional = number(row.get("notional_quote"))
        self.volume.add(notional)
        self.fees.add(number(row.get("fee_quote")))
        is_maker = row.get("is_maker", "").lower()
        if is_maker in _TRUE:
            self.maker.add(notional)
        elif is_maker in _FALSE:
            self.taker.add(notional)
        realized = number(row.get("realized_pnl_quote"))
        self.realized.add(realized)
        if realized > 0:
            self.gains.add(realized)
        elif realized < 0:
            self.losses.add(-realized)
