"""minute.csv into a grid of minutes."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from math import nan
from operator import itemgetter
from typing import TYPE_CHECKING

from triage.kpis.grid import VALUES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bot.sources.minute_csv.layouts import Columns
    from bot.sources.minute_csv.rows import Row
    from triage.kpis.grid import MinuteGrid, RowTexts

_ABSENT = -1
"""Index of the field that is put behind every row: what a layout does not have is read from there."""
_TEXTS = ("state", "exchange", "trading_pair", "fee_source", "risk_reasons")


@dataclass(frozen=True, slots=True)
class _Picker:
    """Takes the columns that count out of the fields of one layout, which one field more stands behind."""

    numbers: Callable[[list[str]], tuple[str, ...]]
    texts: Callable[[list[str]], RowTexts]

    @classmethod
    def of(cls, columns: Columns) -> _Picker:
        places = {name: place for place, name in enumerate(columns)}
        pick = itemgetter(*(places.get(name, _ABSENT) for name in _TEXTS))
        has_fee, has_reasons = "fee_source" in places, "risk_reasons" in places

        def texts(fields: list[str]) -> RowTexts:
            state, exchange, pair, fee, reasons = pick(fields)
            return state, exchange, pair, fee if has_fee else None, reasons if has_reasons else None

        return cls(itemgetter(*(places.get(name, _ABSENT) for name in VALUES)), texts)


def fill_grid(grid: MinuteGrid, rows: Iterable[Row], bad_from: float) -> int:
    """Put rows into a grid; return how many values from ``bad_from`` (epoch seconds) on were no numbers."""
    pickers: dict[Columns, _Picker] = {}
    bad = 0
    known: Columns = ()
    picker: _Picker | None = None
    for stamp, fields, columns in rows:
        if picker is None or columns is not known:
            known, picker = columns, pickers.get(columns) or _Picker.of(columns)
            pickers[columns] = picker
        fields.append("nan")
        picked = picker.numbers(fields)
        try:
            values = array("d", map(float, picked))
        except ValueError:
            values, wrong = _one_by_one(picked)
            bad += wrong if stamp >= bad_from else 0
        grid.put(stamp, picker.texts(fields), values)
    return bad


def _one_by_one(texts: tuple[str, ...]) -> tuple[array[float], int]:
    """Return numbers, NaN for what is none, and how many of those were not simply empty."""
    values, wrong = array("d"), 0
    for text in texts:
        try:
            value = float(text)
        except ValueError:
            value = nan
            wrong += bool(text.strip())
        values.append(value)
    return values, wrong
