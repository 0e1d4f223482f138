"""``drawdown_pct``: the worst drawdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.kpis.definition import KpiDefinition
from triage.kpis.measure import worst_pct

if TYPE_CHECKING:
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import Kpi


def drawdown_pct(grid: MinuteGrid, limits: KpiLimits) -> Kpi:
    """Take the highest ``drawdown_pct``."""
    return worst_pct("drawdown_pct", grid, limits.drawdown_pct_max)


KPI = KpiDefinition(
    "drawdown_pct",
    place=50,
    title="Drawdown",
    measure=drawdown_pct,
    asked="< {}",
    is_risk=True,
    value="highest `drawdown_pct`, %",
    passes="< 2.5",
    remarks="never guessed from equity",
)
