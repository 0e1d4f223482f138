"""minute.csv into a grid of minutes."""

from __future__ import annotations

from dataclasses import dataclass
from math import isinf, nan
from operator import itemgetter
from typing import TYPE_CHECKING

from triage.kpis.grid import VALUES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bot.sources.minute_csv.layouts import Columns
    from bot.sources.minute_csv.rows import Row
    from triage.kpis.grid import MinuteGrid

_ABSENT = -1
"""Index of the field that is put behind every row: what a layout does not have is read from there."""
_TEXTS = ("state", "exchange", "trading_pair", "fee_source", "risk_reasons")


@dataclass(frozen=True, slots=True)
class _Picker:
    """Takes the columns that count out of the fields of one layout."""

    numbers: Callable[[list[str]], tuple[str, ...]]
    texts: Callable[[list[str]], tuple[str, ...]]
    has_fee: bool
    has_reasons: bool

    @classmethod
    def of(cls, columns: Columns) -> _Picker:
        places = {name: place for place, name in enumerate(columns)}
        return cls(
            itemgetter(*(places.get(name, _ABSENT) for name in VALUES)),
            itemgetter(*(places.get(name, _ABSENT) for name in _TEXTS)),
            "fee_source" in places,
            "risk_reasons" in places,
        )


def fill_grid(grid: MinuteGrid, rows: Iterable[Row], bad_from: float) -> int:
    """Put rows into a grid; return how many values from ``bad_from`` (epoch seconds) on were no numbers."""
    pickers: dict[Columns, _Picker] = {}
    bad = 0
    for stamp, fields, columns in rows:
        picker = pickers.get(columns)
        if picker is None:
            picker = pickers[columns] = _Picker.of(columns)
        fields.append("nan")
        picked = picker.numbers(fields)
        try:
            values = list(map(float, picked))
        except ValueError:
            values, wrong = _one_by_one(picked)
            bad += wrong if stamp >= bad_from else 0
        state, exchange, pair, fee, reasons = picker.texts(fields)
        grid.put(
            stamp,
            state,
            f"{exchange} {pair}",
            values,
            fee=fee if picker.has_fee else None,
            reasons=reasons if picker.has_reasons else None,
        )
    return bad


def _one_by_one(texts: tuple[str, ...]) -> tuple[list[float], int]:
    """Return numbers, NaN for what is none, and how many of those were not simply empty."""
    values, wrong = [], 0
    for text in texts:
        try:
            value = float(text)
        except ValueError:
            value = nan
            wrong += bool(text.strip())
        values.append(nan if isinf(value) else value)
    return values, wrong
