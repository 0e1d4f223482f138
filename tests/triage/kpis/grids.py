"""Grids of minutes made by hand."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime
from math import nan
from typing import TYPE_CHECKING

from triage.kpis.fills import FillTally
from triage.kpis.grid import VALUES, MinuteGrid
from triage.kpis.model import Coverage, IncidentFigures
from triage.kpis.report import bot_report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triage.kpis.grid import RowTexts
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import BotReport

NOON = datetime(2026, 2, 20, 12, tzinfo=UTC)
GOOD = {
    "equity_quote": 1000.0,
    "base_pct": 0.5,
    "target_base_pct": 0.5,
    "net_edge_pct": 0.0002,
    "turnover_today_x": 0.4,
    "cancel_per_min": 10.0,
    "daily_loss_pct": 0.001,
    "drawdown_pct": 0.002,
    "paper_reject_count": 0.0,
}


def grid_of(minutes: int, *, start: datetime = NOON) -> MinuteGrid:
    """Return an empty grid."""
    return MinuteGrid(int(start.timestamp() // 60), minutes)


def put(
    grid: MinuteGrid,
    minute: int,
    state: str = "running",
    *,
    second: float = 0.5,
    fee: str | None = "api:bitget:user_fee_query",
    reasons: str | None = "",
    pair: str = "BTC-USDT",
    **values: float,
) -> None:
    """Put a good row, but for what is given; ``nan`` takes a value away."""
    put_values(grid, minute, values, (state, "bitget", pair, fee, reasons), second)


def put_values(
    grid: MinuteGrid,
    minute: int,
    values: dict[str, float],
    texts: RowTexts = ("running", "bitget", "BTC-USDT", "api:bitget:user_fee_query", ""),
    second: float = 0.5,
) -> None:
    """Put a good row, but for the values and texts that are given."""
    row = GOOD | values
    grid.put([grid.at(minute) + second], [texts], [array("d", [row.get(name, nan)]) for name in VALUES])


def filled(
    minutes: int, states: Iterable[str] = (), *, start: datetime = NOON, **values: float
) -> MinuteGrid:
    """Return a grid with a good row in every minute (a ``-`` among the states leaves one out)."""
    grid = grid_of(minutes, start=start)
    for minute, state in enumerate(states or ["running"] * minutes):
        if state != "-":
            put_values(grid, minute, values, (state, "bitget", "BTC-USDT", "api:bitget:user_fee_query", ""))
    return grid


def report_of(grid: MinuteGrid, limits: KpiLimits, fills: FillTally | None = None) -> BotReport:
    """Return the report of a grid whose period before was empty."""
    before = MinuteGrid(grid.start - grid.minutes, grid.minutes)
    return bot_report(
        bot="bot1",
        variant="a",
        grid=grid,
        before=before,
        fills=fills or FillTally(grid.at(0)),
        fills_before=FillTally(before.at(0)),
        coverage=Coverage(grid.minutes, grid.present),
        incidents=IncidentFigures(),
        limits=limits,
    )
