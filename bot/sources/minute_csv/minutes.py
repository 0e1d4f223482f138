"""minute.csv into a grid of minutes.

The numbers have up to 28 digits, and reading them is most of the work: pydantic's reader of JSON takes a quarter
of the time of ``float`` for them and gives the same. What it does not take, ``float`` reads.
"""

from __future__ import annotations

from array import array
from itertools import repeat
from math import nan
from typing import TYPE_CHECKING

from pydantic_core import SchemaValidator, core_schema

from triage.kpis.grid import VALUES
from triage.outside_numbers import real

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.sources.minute_csv.batches import RowBatch
    from triage.kpis.grid import MinuteGrid, RowTexts

_NUMBERS = SchemaValidator(core_schema.list_schema(core_schema.float_schema(strict=True)))
_TEXTS = ("state", "exchange", "trading_pair")
_TEXTS_OR_NONE = ("fee_source", "risk_reasons")


def fill_grid(grid: MinuteGrid, batches: Iterable[RowBatch], bad_from: float) -> int:
    """Put rows into a grid; return how many values from ``bad_from`` (epoch seconds) on were no numbers."""
    bad = 0
    for batch in batches:
        places = {name: place for place, name in enumerate(batch.columns)}
        values: list[array[float]] = []
        for name in VALUES:
            place = places.get(name)
            if place is None:
                values.append(array("d", [nan]) * len(batch.stamps))
                continue
            texts = batch.column(place)
            try:
                values.append(_numbers(texts))
            except ValueError:
                numbers, wrong = _one_by_one(texts, [stamp >= bad_from for stamp in batch.stamps])
                values.append(numbers)
                bad += wrong
        grid.put(batch.stamps, _texts(batch, places), values)
    return bad


def _texts(batch: RowBatch, places: dict[str, int]) -> list[RowTexts]:
    """Return the texts of each row; what its layout does not have is empty, or None where that is told apart."""
    state, exchange, pair = (
        batch.column(places[name]) if name in places else repeat("", len(batch.stamps)) for name in _TEXTS
    )
    fee, reasons = (
        batch.column(places[name]) if name in places else repeat(None, len(batch.stamps))
        for name in _TEXTS_OR_NONE
    )
    return list(zip(state, exchange, pair, fee, reasons, strict=True))


def _numbers(texts: Sequence[str]) -> array[float]:
    """Return texts as numbers. Raises ValueError where one of them is no number as JSON writes it."""
    found = array("d", _NUMBERS.validate_json(f"[{','.join(texts)}]"))
    if len(found) != len(texts):
        raise ValueError("a field is empty, or holds a comma")
    return found


def _one_by_one(texts: Sequence[str], counted: Sequence[bool]) -> tuple[array[float], int]:
    """Return numbers, NaN for what is none, and how many of those in the counted rows were not simply empty."""
    values, wrong = array("d"), 0
    for text, counts in zip(texts, counted, strict=True):
        try:
            value = real(text.strip())
        except ValueError:
            value = nan
            wrong += counts and bool(text.strip())
        values.append(value)
    return values, wrong
