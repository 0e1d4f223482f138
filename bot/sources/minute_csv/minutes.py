"""minute.csv into a grid of minutes."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import chain
from math import nan
from operator import itemgetter
from typing import TYPE_CHECKING

from triage.kpis.grid import VALUES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bot.sources.minute_csv.batches import RowBatch
    from bot.sources.minute_csv.layouts import Columns
    from triage.kpis.grid import MinuteGrid, RowTexts

_ABSENT = -1
"""Index of the field that is put behind every row: what a layout does not have is read from there."""
_TEXTS = ("state", "exchange", "trading_pair", "fee_source", "risk_reasons")


@dataclass(frozen=True, slots=True)
class _Picker:
    """Takes the columns that count out of the fields of one layout, which one field more stands behind."""

    numbers: Callable[[list[str]], tuple[str, ...]]
    texts: Callable[[list[str]], tuple[str, str, str, str, str]]
    has_fee: bool
    has_reasons: bool

    @classmethod
    def of(cls, columns: Columns) -> _Picker:
        places = {name: place for place, name in enumerate(columns)}
        numbers = itemgetter(*(places.get(name, _ABSENT) for name in VALUES))
        texts = itemgetter(*(places.get(name, _ABSENT) for name in _TEXTS))
        return cls(numbers, texts, "fee_source" in places, "risk_reasons" in places)

    def known(self, texts: tuple[str, str, str, str, str]) -> RowTexts:
        """Return the texts with None for those that the layout does not have."""
        state, exchange, pair, fee, reasons = texts
        return state, exchange, pair, fee if self.has_fee else None, reasons if self.has_reasons else None


def fill_grid(grid: MinuteGrid, batches: Iterable[RowBatch], bad_from: float) -> int:
    """Put rows into a grid; return how many values from ``bad_from`` (epoch seconds) on were no numbers."""
    pickers: dict[Columns, _Picker] = {}
    bad = 0
    for batch in batches:
        picker = pickers.get(batch.columns)
        if picker is None:
            picker = pickers[batch.columns] = _Picker.of(batch.columns)
        for fields in batch.rows:
            fields.append("nan")
        picked = list(map(picker.numbers, batch.rows))
        try:
            values = array("d", map(float, chain.from_iterable(picked)))
        except ValueError:
            values, wrong = _one_by_one(picked, [stamp >= bad_from for stamp in batch.stamps])
            bad += wrong
        texts = list(map(picker.texts, batch.rows))
        known = {found: picker.known(found) for found in dict.fromkeys(texts)}
        grid.put(batch.stamps, [known[found] for found in texts], values)
    return bad


def _one_by_one(rows: Sequence[tuple[str, ...]], counted: Sequence[bool]) -> tuple[array[float], int]:
    """Return numbers, NaN for what is none, and how many of those in the counted rows were not simply empty."""
    values, wrong = array("d"), 0
    for texts, counts in zip(rows, counted, strict=True):
        for text in texts:
            try:
                value = float(text)
            except ValueError:
                value = nan
                wrong += counts and bool(text.strip())
            values.append(value)
    return values, wrong
