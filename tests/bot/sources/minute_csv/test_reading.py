from __future__ import annotations

from datetime import timedelta
from math import isfinite, isnan
from typing import TYPE_CHECKING

import pytest

from bot.sources.minute_csv import seek
from bot.sources.minute_csv.folders import bots, variants
from bot.sources.minute_csv.layouts import MINUTE, MINUTE_ALWAYS, Layouts
from bot.sources.minute_csv.lines import MAX_LINE
from bot.sources.minute_csv.reading import DigestWindow, VariantReading, read_variant
from bot.sources.minute_csv.scan import Scan
from tests.bot.sources.minute_csv.files import (
    FILLS,
    H14,
    H33,
    H36,
    HEADERS,
    MIDNIGHT,
    START,
    folder_of,
    minute_at,
    row,
    rows,
    write,
)
from triage.kpis.grid import State
from triage.kpis.trading import trading

if TYPE_CHECKING:
    from pathlib import Path

    from triage.kpis.model import TradingResult

WINDOW = DigestWindow.of(START, MIDNIGHT)


def read(folder: Path) -> VariantReading:
    """Read the hour before midnight."""
    return read_variant(folder, "a", WINDOW)


def skipped(reading: VariantReading) -> dict[str, int]:
    """Return the skipped lines by their reasons."""
    return {entry.reason: entry.count for entry in reading.coverage.skipped}


@pytest.mark.parametrize("header", [14, 33, 36])
def test_a_rows_own_length_tells_its_columns(tmp_path: Path, header: int) -> None:
    """Rows of every layout below an older or newer header are read with their own columns."""
    lines = [
        row(minute_at(i), columns, turnover_today_x=f"0.{columns}", net_edge_pct="0.001")
        for i, columns in enumerate((14, 21, 24, 33))
    ]
    grid = read_after(tmp_path, HEADERS[header], lines).grid
    assert grid.column("turnover_today_x")[:4] == [0.14, 0.21, 0.24, 0.33]
    assert grid.column("net_edge_pct")[:4] == [0.001] * 4
    assert [isfinite(value) for value in grid.column("drawdown_pct")[:4]] == [False, False, False, True]
    assert list(grid.fees[:4]) == [0, 0, 1, 1]


def read_after(tmp_path: Path, header: str, lines: list[str], *, end: str = "\n") -> VariantReading:
    """Write a minute.csv and read it."""
    folder = folder_of(tmp_path)
    write(folder / "minute.csv", header, lines, end=end)
    return read(folder)


def test_later_layouts_are_read_by_their_header(tmp_path: Path) -> None:
    """A column that no known layout has is found by name."""
    reading = read_after(tmp_path, H36, rows(range(3), 36, paper_reject_count=7))
    assert reading.grid.column("paper_reject_count")[:3] == [7.0] * 3


def test_a_longer_row_below_an_old_header_is_known_from_another_files_header(tmp_path: Path) -> None:
    """The next file has the header that the rows before the rotation lacked."""
    folder = folder_of(tmp_path)
    write(folder / "minute.legacy_20260220T233000Z.csv", H33, rows(range(2), 36, paper_reject_count=1))
    write(folder / "minute.csv", H36, rows(range(2, 4), 36, paper_reject_count=2))
    assert read(folder).grid.column("paper_reject_count")[:4] == [1.0, 1.0, 2.0, 2.0]


def test_a_row_of_unknown_length_still_tells_its_state(tmp_path: Path) -> None:
    """All layouts begin alike; what follows is not guessed."""
    line = row(minute_at(0), 33, state="soft_pause") + ",1,2,3,4,5"
    grid = read_after(tmp_path, H33, [line]).grid
    assert grid.states[0] == State.SOFT_PAUSE
    assert isnan(grid.column("turnover_today_x")[0])


def test_scientific_zeros_are_zeros(tmp_path: Path) -> None:
    """``0E+10`` is nought and not ten thousand million."""
    reading = read_after(tmp_path, H33, rows([0], turnover_today_x="0E+10", cancel_per_min="0E-10"))
    assert reading.grid.column("turnover_today_x")[0] == 0.0
    assert reading.coverage.bad_values == 0


def test_what_is_no_number_is_counted_and_the_row_kept(tmp_path: Path) -> None:
    """``nan`` and an empty field are no numbers either, but nothing to complain of."""
    line = row(minute_at(0), 33, drawdown_pct="oops", daily_loss_pct="nan", cancel_per_min="")
    reading = read_after(tmp_path, H33, [line])
    assert (reading.coverage.present, reading.coverage.bad_values) == (1, 1)


def test_a_half_written_last_line_is_left_out_and_named(tmp_path: Path) -> None:
    """The writer is in the middle of it."""
    lines = rows(range(3))
    reading = read_after(tmp_path, H33, [*lines[:2], lines[2][:150]], end="")
    assert reading.coverage.present == 2
    assert skipped(reading) == {"half written last line": 1}


def test_a_last_line_that_lacks_only_its_newline_counts(tmp_path: Path) -> None:
    """All of its fields are there; the last one may still grow and is not used."""
    reading = read_after(tmp_path, H14, rows(range(3), 14), end="")
    assert (reading.coverage.present, skipped(reading)) == (3, {})


def test_lines_that_are_no_rows_are_counted_by_reason_and_place(tmp_path: Path) -> None:
    """NUL bytes of a crash, a stray word, a row without its columns."""
    folder = folder_of(tmp_path)
    good = rows(range(2))
    path = folder / "minute.csv"
    path.write_bytes(
        "\n".join(
            [H33, good[0], "\0" * 200, "garbage", "", minute_at(1).isoformat() + ",a", good[1]]
        ).encode()
        + b"\n"
    )
    reading = read(folder)
    assert reading.coverage.present == 2
    assert skipped(reading) == {"NUL bytes": 1, "no timestamp": 1, "too few columns": 1}
    first = next(entry.first for entry in reading.coverage.skipped if entry.reason == "NUL bytes")
    assert first == f"minute.csv at byte {len(H33) + len(good[0]) + 2}"


def test_a_row_behind_nul_bytes_is_read(tmp_path: Path) -> None:
    """After a power cut the next row stands behind the zeros of the lost one."""
    reading = read_after(tmp_path, H33, ["\0" * 5000 + rows([4])[0]])
    assert (reading.coverage.present, skipped(reading)) == (1, {})


def test_a_row_written_on_behind_a_broken_one_is_read(tmp_path: Path) -> None:
    """The broken one is counted."""
    first, second = rows(range(2), turnover_today_x="0.5")
    reading = read_after(tmp_path, H33, [first[:90] + second])
    assert reading.grid.column("turnover_today_x")[1] == 0.5
    assert skipped(reading) == {"row cut off by the next one": 1}


def test_a_line_without_an_end_takes_no_memory(tmp_path: Path) -> None:
    """A megabyte without a newline is one skipped line, and what follows is read."""
    folder = folder_of(tmp_path)
    text = f"{H33}\n{rows([0])[0]}\n{'x' * (40 * MAX_LINE)}\n{rows([1])[0]}\n"
    (folder / "minute.csv").write_text(text)
    reading = read(folder)
    assert (reading.coverage.present, skipped(reading)) == (2, {"line without an end": 1})


def test_duplicates_and_disorder_are_counted(tmp_path: Path) -> None:
    """A minute counts once, whatever the order of its rows."""
    lines = rows([0, 1, 2, 4, 3, 4])
    coverage = read_after(tmp_path, H33, lines).coverage
    assert (coverage.present, coverage.rows, coverage.duplicates, coverage.out_of_order) == (5, 6, 1, 1)


def test_gaps_and_empty_days_are_told(tmp_path: Path) -> None:
    """The longest gap with its beginning, and the days that have no row at all."""
    folder = folder_of(tmp_path)
    write(folder / "minute.csv", H33, [row(START - timedelta(days=2)), *rows([0, 1, 50, 59])])
    coverage = read_variant(folder, "a", DigestWindow.of(START - timedelta(days=2), MIDNIGHT)).coverage
    assert coverage.empty_days == ("2026-02-19",)
    assert coverage.longest_gap_minutes == 2 * 24 * 60 - 1
    hour = read(folder).coverage
    assert (hour.longest_gap_minutes, hour.longest_gap_from) == (48, START + timedelta(minutes=2))


def test_times_with_other_offsets_and_line_ends_are_read(tmp_path: Path) -> None:
    """``Z``, ``+02:00``, no offset (UTC), a byte order mark and Windows line ends."""
    lines = rows(range(3))
    lines[0] = lines[0].replace("+00:00", "Z")
    lines[1] = (
        lines[1]
        .replace("T23:01", "T25:01")
        .replace("2026-02-20T25", "2026-02-21T01")
        .replace("+00:00", "+02:00")
    )
    lines[2] = lines[2].replace("+00:00", "")
    folder = folder_of(tmp_path)
    (folder / "minute.csv").write_bytes(("\ufeff" + "\r\n".join([H33, *lines, ""])).encode())
    assert read(folder).coverage.present == 3


def test_a_days_rows_are_put_together_from_rotated_files(tmp_path: Path) -> None:
    """Two rotations within the hour."""
    folder = folder_of(tmp_path)
    write(folder / "minute.legacy_20260220T232000Z.csv", H14, rows(range(20), 14))
    write(folder / "minute.legacy_20260220T234000Z.csv", H33, rows(range(20, 40)))
    write(folder / "minute.csv", H36, rows(range(40, 60), 36))
    coverage = read(folder).coverage
    assert (coverage.present, coverage.pct) == (60, 100.0)
    assert len(coverage.files) == 3


def test_a_writer_that_goes_on_in_a_renamed_file_loses_no_row(tmp_path: Path) -> None:
    """The stamp says 19:00, the rows of 23:00 are read nevertheless."""
    folder = folder_of(tmp_path)
    write(folder / "minute.legacy_20260220T190000Z.csv", H33, rows(range(60)))
    assert read(folder).coverage.present == 60


def test_an_old_rotated_file_is_not_read(tmp_path: Path) -> None:
    """Its last rows tell that it cannot hold any of the window."""
    folder = folder_of(tmp_path)
    old = [row(START - timedelta(days=9, minutes=-i)) for i in range(100)]
    write(folder / "minute.legacy_20260212T000000Z.csv", H33, old)
    write(folder / "minute.csv", H33, rows(range(60)))
    assert read(folder).coverage.files == ("minute.csv",)


def test_a_rotation_while_reading_loses_no_row_and_counts_none_twice(tmp_path: Path) -> None:
    """The current file is renamed under the reader's hands and a new one begins."""
    folder = folder_of(tmp_path)
    write(folder / "minute.csv", H14, rows(range(30), 14))
    scan = Scan(Layouts(MINUTE, MINUTE_ALWAYS), START.timestamp(), MIDNIGHT.timestamp(), START.timestamp())
    reader = scan.rows(folder, "minute")
    stamps = [next(reader)[0]]
    (folder / "minute.csv").rename(folder / "minute.legacy_20260220T233000Z.csv")
    write(folder / "minute.csv", H33, rows(range(30, 40)))
    stamps += [stamp for stamp, _, _ in reader]
    assert stamps == [minute_at(i).timestamp() for i in range(40)]


def test_rows_that_are_written_meanwhile_are_for_the_next_time(tmp_path: Path) -> None:
    """The file is read as long as it was when it was opened."""
    folder = folder_of(tmp_path)
    path = write(folder / "minute.csv", H33, rows(range(10)))
    scan = Scan(Layouts(MINUTE, MINUTE_ALWAYS), START.timestamp(), MIDNIGHT.timestamp(), START.timestamp())
    reader = scan.rows(folder, "minute")
    next(reader)
    with path.open("a") as file:
        file.write(rows([10])[0][:40])
    assert sum(1 for _ in reader) == 9
    assert scan.skips.result() == ()


def test_a_large_file_is_searched_and_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bisection finds the same rows as reading everything, and reads a small part of the file."""
    folder = folder_of(tmp_path)
    days = 40
    minutes = days * 24 * 60
    lines = [
        row(MIDNIGHT - timedelta(minutes=minutes - i), 14, cancel_per_min=i % 97) for i in range(minutes)
    ]
    lines[100], lines[minutes // 2] = (
        row(MIDNIGHT + timedelta(days=9), 14),
        row(START - timedelta(days=400), 14),
    )
    late = lines.pop(minutes - 70)
    lines.insert(minutes - 10, late)
    path = write(folder / "minute.csv", H14, lines)
    with path.open("rb") as file:
        offset = seek.first_byte(file, path.stat().st_size, START.timestamp() - 3600)
    assert offset > 0.95 * path.stat().st_size
    searched = read(folder)
    monkeypatch.setattr("bot.sources.minute_csv.scan.SMALL", 10**12)
    whole = read(folder)
    assert searched.coverage.present == whole.coverage.present == 60
    assert searched.grid.column("cancel_per_min") == whole.grid.column("cancel_per_min")
    assert searched.before.states == whole.before.states


def test_fills_count_once_even_where_a_rotation_wrote_them_twice(tmp_path: Path) -> None:
    """Eleven columns, then up to six more; partial fills of one order are fills of their own."""
    folder = folder_of(tmp_path)
    fill = f"{minute_at(3).isoformat()},a,bitget,BTC-USDT,buy,1,2,10.5,0.01,id-1,running"
    longer = (
        f"{minute_at(4).isoformat()},a,bitget,BTC-USDT,sell,1,2,20,0.02,id-1,running,1,2,3,api:x,True,0.25"
    )
    before = f"{(START - timedelta(minutes=5)).isoformat()},a,bitget,BTC-USDT,buy,1,2,99,9,id-0,running"
    write(folder / "fills.legacy_20260220T230500Z.csv", FILLS, [before, fill, longer])
    write(folder / "fills.csv", FILLS, [fill])
    reading = read(folder)
    tally = reading.fills
    assert (tally.count, tally.buys, tally.sells, tally.volume.total) == (2, 1, 1, 30.5)
    assert (tally.maker.total, tally.realized.value) == (20.0, 0.25)
    assert reading.fills_before.volume.total == 99.0


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """A folder of that name: the others are read."""
    folder = folder_of(tmp_path)
    (folder / "minute.csv").mkdir()
    write(folder / "minute.legacy_20260220T233000Z.csv", H33, rows(range(10)))
    coverage = read(folder).coverage
    assert coverage.present == 10
    assert any(note.endswith("minute.csv is no regular file") for note in coverage.notes)


def test_bots_and_variants_are_found_by_their_folders(tmp_path: Path) -> None:
    """A folder without minute files is no variant, and a name cannot lead out of the data folder."""
    for bot, variant in (("bot1", "a"), ("bot1", "b_2"), ("bot2", "d")):
        write(folder_of(tmp_path, bot, variant) / "minute.csv", H33, [])
    folder_of(tmp_path, "bot1", "empty")
    (tmp_path / "other").mkdir()
    assert bots(tmp_path) == ("bot1", "bot2")
    assert list(variants(tmp_path, "bot1")) == ["a", "b_2"]
    assert variants(tmp_path, "../data/bot1") == {}
    assert variants(tmp_path, "bot9") == {}


def test_a_window_is_of_whole_minutes() -> None:
    """Both ends are taken down to their minute; a window that ends first is refused."""
    window = DigestWindow.of(START + timedelta(seconds=30), MIDNIGHT + timedelta(seconds=59))
    assert (window.minutes, window.start * 60) == (60, START.timestamp())
    with pytest.raises(ValueError, match="not after"):
        DigestWindow.of(MIDNIGHT, START)


def test_a_carriage_return_beside_a_quote_costs_no_bot_its_figures(tmp_path: Path) -> None:
    """The library that reads quotes refuses the one in a field: it is taken for a space."""
    folder = folder_of(tmp_path)
    good = rows(range(3))
    odd = good[1].replace("running", "run\rning").replace("BTC-USDT", '"BTC-USDT"')
    write(folder / "minute.csv", HEADERS[33], [good[0], odd, good[2]])
    reading = read(folder)
    assert reading.coverage.present == 3
    assert reading.grid.minutes_with_state == 2


def _fills(tmp_path: Path, *lines: str) -> TradingResult:
    folder = folder_of(tmp_path)
    write(folder / "minute.csv", HEADERS[33], rows(range(60)))
    write(folder / "fills.csv", FILLS, lines)
    reading = read(folder)
    return trading(reading.grid, reading.fills)


def test_fills_without_amounts_have_no_sum_of_nothing(tmp_path: Path) -> None:
    """Two fills whose fees nobody wrote cost something: not 0. Of a part of them the rest is said."""
    fill = f"{minute_at(5).isoformat()},a,x,y,buy,1,1,{{}},{{}},o{{}},running"
    blind = _fills(tmp_path / "blind", fill.format("", "nan", 1), fill.format("junk", "", 2))
    assert (blind.fills, blind.fees_quote, blind.volume_quote) == (2, None, None)
    assert "2 of 2 fills without a fee: left out" in blind.notes
    part = _fills(tmp_path / "part", fill.format(7, "0.5", 1), fill.format(8, "", 2))
    assert (part.fees_quote, part.volume_quote) == (0.5, 15.0)
    assert part.notes == ("1 of 2 fills without a fee: left out",)


def test_lines_of_fills_that_cannot_be_read_are_not_no_fills(tmp_path: Path) -> None:
    """Whereas a file without a line of the window has none: 0."""
    unread = _fills(tmp_path / "unread", *["minute 1,a,x,y,buy,1,1,1,1,o1,running"] * 3)
    assert (unread.fills, unread.fees_quote) == (None, None)
    assert unread.notes == ("no line of fills.csv could be read: fills, fees and volume unknown",)
    none = _fills(tmp_path / "none")
    assert (none.fills, none.fees_quote, none.notes) == (0, 0.0, ())


def test_fills_in_a_file_that_is_refused_are_unknown(tmp_path: Path) -> None:
    """It is there, so they are not said to be missing, and not to be none."""
    folder = folder_of(tmp_path)
    write(folder / "minute.csv", HEADERS[33], rows(range(60)))
    (tmp_path / "elsewhere").write_text(FILLS)
    (folder / "fills.csv").symlink_to(tmp_path / "elsewhere")
    reading = read(folder)
    result = trading(reading.grid, reading.fills)
    assert result.fills is None
    assert "fills.csv" in result.notes[0]
