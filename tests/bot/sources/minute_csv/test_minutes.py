"""Numbers of minute.csv: whichever reader takes them, they are those that Python's own ``float`` gives."""

from __future__ import annotations

from decimal import Decimal, localcontext
from math import inf, isinf, isnan, nan, nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.minute_csv.batches import RowBatch
from bot.sources.minute_csv.minutes import fill_grid
from triage.kpis.grid import MinuteGrid

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def _between(value: float) -> str:
    """Return the decimal that lies exactly between a number and the next one: the hardest to round."""
    after = nextafter(value, inf)
    with localcontext(prec=1200):
        return str(value) if isinf(after) else str((Decimal(value) + Decimal(after)) / 2)


TEXTS = st.one_of(
    NUMBERS.map(str),
    NUMBERS.filter(lambda value: abs(value) < 1e9).map(lambda value: f"{value:.28f}"),
    NUMBERS.map(_between),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-9, max_value=9, places=27).map(str),
    st.integers().map(str),
)


def _read(texts: list[str]) -> tuple[list[float], int]:
    """Return a column of texts as a grid has it, and how many of them were no numbers."""
    grid = MinuteGrid(0, len(texts))
    stamps = [60.0 * minute for minute in range(len(texts))]
    bad = fill_grid(grid, [RowBatch(stamps, texts, 1, ("equity_quote",))], 0.0)
    return grid.column("equity_quote"), bad


@given(st.lists(TEXTS, min_size=1, max_size=40))
def test_a_column_of_numbers_is_what_float_makes_of_them(texts: list[str]) -> None:
    """Also where a decimal lies halfway between two numbers; only the sign of a zero is not kept."""
    read, bad = _read(texts)
    expected = [nan if isinf(float(text)) else float(text) for text in texts]
    assert [str(value + 0.0) for value in read] == [str(value + 0.0) for value in expected]
    assert bad == 0


@pytest.mark.parametrize(
    ("text", "value", "bad"),
    [
        ("", nan, 0),
        (" ", nan, 0),
        ("nan", nan, 0),
        ("NaN", nan, 0),
        ("inf", nan, 0),
        ("-Infinity", nan, 0),
        ("1e400", nan, 0),
        ("0E+10", 0.0, 0),
        ("0E-10", 0.0, 0),
        ("+1.5", 1.5, 0),
        (".5", 0.5, 0),
        ("007", 7.0, 0),
        (" 2 ", 2.0, 0),
        ("true", nan, 1),
        ("null", nan, 1),
        ("[1]", nan, 1),
        ("[1", nan, 1),
        ('"1"', nan, 1),
        ("1,2", nan, 1),
        ("{}", nan, 1),
        ("junk", nan, 1),
    ],
)
def test_what_is_no_number_costs_only_itself(text: str, value: float, bad: int) -> None:
    """Its neighbours are read; words that JSON has and a number has not are none either."""
    read, counted = _read(["1.25", text, "2"])
    assert (read[0], read[2], counted) == (1.25, 2.0, bad)
    assert read[1] == value or (isnan(read[1]) and isnan(value))
