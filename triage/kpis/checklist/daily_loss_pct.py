"""``daily_loss_pct``: the worst loss of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.kpis.definition import KpiDefinition
from triage.kpis.measure import worst_pct

if TYPE_CHECKING:
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import Kpi


def daily_loss_pct(grid: MinuteGrid, limits: KpiLimits) -> Kpi:
    """Take the highest ``daily_loss_pct``."""
    return worst_pct("daily_loss_pct", grid, limits.daily_loss_pct_max)


KPI = KpiDefinition(
    "daily_loss_pct",
    place=40,
    title="Daily loss",
    measure=daily_loss_pct,
    asked="< {}",
    is_risk=True,
    value="highest `daily_loss_pct`, %",
    passes="< 1.5",
)
