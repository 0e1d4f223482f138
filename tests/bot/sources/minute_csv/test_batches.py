from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sources.minute_csv import lines
from bot.sources.minute_csv.batches import Plain
from bot.sources.minute_csv.reading import DigestWindow, read_variant
from tests.bot.sources.minute_csv.files import HEADERS, MIDNIGHT, folder_of, rows, write
from tests.bot.sources.minute_csv.test_against_naive import START, archive
from tests.bot.sources.minute_csv.test_reading import read, skipped
from triage.kpis.grid import VALUES

if TYPE_CHECKING:
    from triage.kpis.grid import MinuteGrid


def _told(folder: Path) -> list[str]:
    """Return all that reading a folder found, as text: so that NaN equals NaN."""
    reading = read_variant(folder, "a", DigestWindow.of(START, MIDNIGHT))
    return [str(reading.coverage), *_grid(reading.grid), *_grid(reading.before)]


def _grid(grid: MinuteGrid) -> list[str]:
    words = [
        (grid.reason(why), grid.account(who)) for why, who in zip(grid.reasons, grid.accounts, strict=True)
    ]
    stamps = [grid.stamp(minute) for minute in range(grid.minutes)]
    columns = [f"{name} {grid.column(name)}" for name in VALUES]
    return [f"{grid.states} {grid.fees} {words} {stamps} {grid.hidden_stops} {grid.unresolved}", *columns]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**48), st.sampled_from((300, 1200, 5000, lines.CHUNK)))
def test_rows_taken_together_are_those_that_are_taken_one_by_one(seed: int, chunk: int) -> None:
    """Whatever the files look like, and wherever a chunk of them ends."""
    rnd = Random(seed)  # noqa: S311 - the dice of a test
    with tempfile.TemporaryDirectory() as data, pytest.MonkeyPatch.context() as patch:
        folder = folder_of(Path(data))
        archive(rnd, folder)
        patch.setattr(lines, "CHUNK", chunk)
        together = _told(folder)
        patch.setattr(Plain, "of", lambda _block: None)
        assert together == _told(folder)


def test_plain_lines_of_another_layout_than_the_header_are_taken_together(tmp_path: Path) -> None:
    """A writer goes on below an old header for a month: its rows are as quick to read as others."""
    folder = folder_of(tmp_path)
    write(folder / "minute.csv", HEADERS[21], rows(range(60), 33))
    assert read(folder).coverage.present == 60
    block = "\n".join(rows(range(60), 33)).encode()
    plain = Plain.of(block)
    assert plain is not None
    assert len(plain.stamps) == 60


@pytest.mark.parametrize("odd", ['"', "\r", "\0", "é", "\nts,junk", "\n"])
def test_a_block_with_an_odd_line_is_looked_at_closely(odd: str) -> None:
    """Quotes, control characters, other alphabets and lines without a time are not for the quick way."""
    assert Plain.of((rows([1])[0] + odd).encode()) is None


def test_a_row_that_came_late_is_looked_at_closely() -> None:
    """It has to be counted as out of order."""
    assert Plain.of("\n".join(rows([2, 1])).encode()) is None


def test_a_row_behind_a_row_that_was_cut_off_is_found_below_an_old_header(tmp_path: Path) -> None:
    """The line has more fields than any row; both ways of reading know that it hides one."""
    folder = folder_of(tmp_path)
    first, second, third, last = rows(range(4))
    write(folder / "minute.csv", HEADERS[21], [first, second[:60] + third, last])
    reading = read(folder)
    assert reading.coverage.present == 3
    assert skipped(reading) == {"row cut off by the next one": 1}
