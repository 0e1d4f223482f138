"""``turnover_x``: the worst turnover of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.kpis.definition import KpiDefinition
from triage.kpis.measure import clock, known, kpi, no_column

if TYPE_CHECKING:
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import Kpi


def turnover_x(grid: MinuteGrid, limits: KpiLimits) -> Kpi:
    """Take the highest ``turnover_today_x``: the counter is of a day, so a window over midnight sees two of them."""
    limit = limits.turnover_x_max
    column = grid.column("turnover_today_x")
    found = known(column)
    if not found:
        return no_column("turnover_x", grid, column="turnover_today_x", limit=limit, unit="x")
    worst = max(found)
    minute = column.index(worst)
    why = f"highest turnover of a day {worst:.2f}x at {clock(grid, minute)} UTC, limit {limit:g}x"
    return kpi(
        "turnover_x",
        value=worst,
        limit=limit,
        unit="x",
        good=worst <= limit,
        why=why,
        rows=len(found),
        of=grid.present,
    )


KPI = KpiDefinition(
    "turnover_x",
    place=30,
    title="Turnover",
    measure=turnover_x,
    asked="≤ {}",
    is_risk=True,
    value="highest `turnover_today_x`",
    passes="≤ 3.0",
    remarks="the counter is of a day, so a window over midnight sees two counters, not their sum",
)
