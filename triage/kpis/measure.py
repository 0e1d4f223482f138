"""How a KPI is put together from a column: shared by the modules that define the KPIs."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite, nan
from typing import TYPE_CHECKING

from triage.kpis.model import Kpi, KpiStatus

if TYPE_CHECKING:
    from triage.kpis.grid import MinuteGrid

FULL_PCT = 100.0


def clock(grid: MinuteGrid, minute: int) -> str:
    """Return a minute in words: ``03:10``, with its date where the window is longer than a day."""
    at = datetime.fromtimestamp(grid.at(minute), UTC)
    return f"{at:%m-%d %H:%M}" if grid.minutes > 24 * 60 else f"{at:%H:%M}"


def complete(column: list[float]) -> bool:
    """Return whether every value is a number: a sum with a NaN is none. Cheap, and mostly so."""
    return isfinite(sum(column))


def measured(column: list[float]) -> list[tuple[int, float]]:
    """Return (minute, value) of what a column has."""
    return [pair for pair in enumerate(column) if pair[1] == pair[1]]  # NaN differs from itself


def known(column: list[float]) -> list[float]:
    """Return the values of what a column has; the column itself, not a copy, where that is all of it."""
    if complete(column):
        return column
    return [value for value in column if value == value]  # noqa: PLR0124 - NaN is what differs from itself


def share_pct(part: int, whole: int) -> float:
    """Return a share in percent; NaN of nothing."""
    return FULL_PCT * part / whole if whole else nan


def kpi(name: str, *, value: float, limit: float, unit: str, good: bool, why: str, rows: int, of: int) -> Kpi:
    """Return a measured KPI; says so where only a part of the rows has its column."""
    share = share_pct(rows, of)
    if rows < of:
        why = f"{why}; measured on {rows} of {of} rows ({share:.0f} %), the others have no such value"
    status = KpiStatus.PASS if good else KpiStatus.FAIL
    return Kpi(name=name, value=value, limit=limit, unit=unit, status=status, why=why, measured_pct=share)


def not_measured(name: str, *, limit: float, unit: str, why: str) -> Kpi:
    """Return a KPI that could not be measured, with the reason."""
    return Kpi(
        name=name,
        value=None,
        limit=limit,
        unit=unit,
        status=KpiStatus.NOT_MEASURED,
        why=why,
        measured_pct=0.0,
    )


def no_column(name: str, grid: MinuteGrid, *, column: str, limit: float, unit: str) -> Kpi:
    """Return the "not measured" of a window without rows, or whose rows lack the column."""
    what = "a state that is known" if column == "state" else f"a value in {column}"
    why = f"none of the {grid.present} rows has {what}" if grid.present else "no rows in the window"
    return not_measured(name, limit=limit, unit=unit, why=why)


def worst_pct(name: str, grid: MinuteGrid, limit: float) -> Kpi:
    """Return the KPI of the highest value of a column of fractions, which is called as the KPI; in percent."""
    column = grid.column(name)
    found = known(column)
    if not found:
        return no_column(name, grid, column=name, limit=limit, unit="%")
    worst = max(found)
    minute = column.index(worst)
    value = round(100.0 * worst, 10)  # the files hold fractions; a 2.5 % must not become 2.5000000000000004
    why = f"worst {value:.2f} % at {clock(grid, minute)} UTC, has to stay below {limit:g} %"
    return kpi(
        name,
        value=value,
        limit=limit,
        unit="%",
        good=value < limit,
        why=why,
        rows=len(found),
        of=grid.present,
    )
