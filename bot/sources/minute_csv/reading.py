"""One variant's files, read for a window and the period before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.sources.minute_csv.folders import csv_files
from bot.sources.minute_csv.layouts import (
    DAILY,
    DAILY_ALWAYS,
    FILLS,
    FILLS_ALWAYS,
    MINUTE,
    MINUTE_ALWAYS,
    Layouts,
)
from bot.sources.minute_csv.minutes import fill_grid
from bot.sources.minute_csv.scan import Scan
from triage.kpis.fills import FillTally
from triage.kpis.grid import MinuteGrid, State
from triage.kpis.model import Coverage

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class DigestWindow:
    """The minutes of a digest in epoch minutes: ``start`` to ``end``, and as many before for comparison."""

    start: int
    end: int

    @classmethod
    def of(cls, start: datetime, end: datetime) -> DigestWindow:
        """Return the whole minutes of a window: both ends are taken down to their minute. Raises ValueError."""
        window = cls(int(start.timestamp() // 60), int(end.timestamp() // 60))
        if window.end <= window.start:
            raise ValueError(f"the window ends at {end.isoformat()}, which is not after {start.isoformat()}")
        return window

    @property
    def minutes(self) -> int:
        """How many minutes the window has."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class VariantReading:
    """What a variant's files hold for a window: its minutes and fills, those of the period before, and coverage."""

    variant: str
    grid: MinuteGrid
    before: MinuteGrid
    fills: FillTally
    fills_before: FillTally
    coverage: Coverage


def read_variant(folder: Path, variant: str, window: DigestWindow) -> VariantReading:
    """Read a window of a folder. Missing, refused and broken files are told in the coverage, never raised."""
    length = window.minutes
    whole = MinuteGrid(window.start - length, 2 * length)
    scan = _scan(Layouts(MINUTE, MINUTE_ALWAYS), window)
    bad = fill_grid(whole, scan.batches(folder, "minute"), window.start * 60.0)
    grid, before = whole.cut(length, length), whole.cut(0, length)
    fills, fills_before, fill_scan = _fills(folder, window)
    notes = [*scan.notes, *fill_scan.notes, *_daily_notes(folder, window)]
    return VariantReading(
        variant=variant,
        grid=grid,
        before=before,
        fills=fills,
        fills_before=fills_before,
        coverage=_coverage(grid, scan, fill_scan, bad, notes),
    )


def nothing(window: DigestWindow, notes: tuple[str, ...]) -> VariantReading:
    """Return the reading of a bot that has no files at all."""
    grid, before = (
        MinuteGrid(start, window.minutes) for start in (window.start, window.start - window.minutes)
    )
    fills, fills_before = FillTally(grid.at(0)), FillTally(before.at(0))
    scan = _scan(Layouts(MINUTE, MINUTE_ALWAYS), window)
    return VariantReading(
        variant="",
        grid=grid,
        before=before,
        fills=fills,
        fills_before=fills_before,
        coverage=_coverage(grid, scan, scan, 0, list(notes)),
    )


def _scan(layouts: Layouts, window: DigestWindow) -> Scan:
    return Scan(
        layouts,
        start=(window.start - window.minutes) * 60.0,
        end=window.end * 60.0,
        report_from=window.start * 60.0,
    )


def _fills(folder: Path, window: DigestWindow) -> tuple[FillTally, FillTally, Scan]:
    """Return the fills of the window and of the period before; a line that is there twice counts once."""
    middle = window.start * 60.0
    fills, before = FillTally(middle), FillTally((window.start - window.minutes) * 60.0)
    scan = _scan(Layouts(FILLS, FILLS_ALWAYS), window)
    seen: set[int] = set()
    for stamp, fields, columns in scan.rows(folder, "fills"):
        key = hash(fields[: len(FILLS_ALWAYS)])
        if key not in seen:
            seen.add(key)
            tally = fills if stamp >= middle else before
            tally.add(stamp, dict(zip(columns, fields, strict=False)))
    if "fills.csv" in scan.refused:
        fills.missing = before.missing = "fills.csv could not be read"
        return fills, before, scan
    fills.readable = before.readable = bool(csv_files(folder, "fills"))
    if not fills.count and scan.skips.result():
        fills.readable, fills.missing = False, "no line of fills.csv could be read"
    return fills, before, scan


def _daily_notes(folder: Path, window: DigestWindow) -> list[str]:
    """Return what daily.csv says of days that ended in a hard stop: its events name guards that minutes may not."""
    scan = Scan(
        Layouts(DAILY, DAILY_ALWAYS),
        window.start * 60.0,
        window.end * 60.0 + 60,
        report_from=window.end * 60.0,
    )
    notes: list[str] = []
    for stamp, fields, columns in scan.rows(folder, "daily"):
        row = dict(zip(columns, fields, strict=False))
        if row.get("state") == "hard_stop":
            at = datetime.fromtimestamp(stamp, UTC)
            notes.append(
                f"daily.csv of {at:%Y-%m-%d %H:%M}: hard_stop, events {row.get('ops_events') or 'none'}"
            )
    return notes[-7:]


def _coverage(grid: MinuteGrid, scan: Scan, fills: Scan, bad: int, notes: list[str]) -> Coverage:
    before = grid.minutes - len(grid.states.lstrip(_MISSING))
    last = len(grid.states.rstrip(_MISSING)) - 1
    gap, gap_from = _longest_gap(grid)
    skipped = scan.skips.result() + (fills.skips.result() if fills is not scan else ())
    return Coverage(
        minutes=grid.minutes,
        present=grid.present,
        rows=grid.rows,
        duplicates=grid.duplicates,
        out_of_order=scan.out_of_order,
        first_row=_time(grid.stamp(before)) if grid.present else None,
        last_row=_time(grid.stamp(last)) if grid.present else None,
        longest_gap_minutes=gap,
        longest_gap_from=_time(grid.at(gap_from)) if gap else None,
        empty_days=_empty_days(grid),
        skipped=skipped,
        bad_values=bad,
        files=tuple(scan.files),
        notes=tuple(notes),
    )


def _time(stamp: float) -> datetime:
    return datetime.fromtimestamp(stamp, UTC)


def _longest_gap(grid: MinuteGrid) -> tuple[int, int]:
    """Return (length, first minute) of the longest stretch of missing minutes."""
    longest, start, at = 0, 0, 0
    for stretch in bytes(grid.states).translate(_GAP_OR_ROW).split(b"r"):
        if len(stretch) > longest:
            longest, start = len(stretch), at
        at += len(stretch) + 1
    return longest, start


_MISSING = bytes([State.MISSING])
_GAP_OR_ROW = bytes([ord("g")]) + b"r" * 255


def _empty_days(grid: MinuteGrid) -> tuple[str, ...]:
    """Return the UTC days of the window (whole or in part) that have no row."""
    found: list[str] = []
    day, end = _time(grid.at(0)).replace(hour=0, minute=0), _time(grid.at(grid.minutes))
    while day < end:
        first = int(day.timestamp() // 60) - grid.start
        if not any(grid.states[max(0, first) : first + 24 * 60]):
            found.append(f"{day:%Y-%m-%d}")
        day += timedelta(days=1)
    return tuple(found)
