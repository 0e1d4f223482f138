"""``running_pct``: how much of the time the bot ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.kpis.definition import KpiDefinition
from triage.kpis.grid import State
from triage.kpis.measure import kpi, no_column, share_pct

if TYPE_CHECKING:
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import Kpi


def running_pct(grid: MinuteGrid, limits: KpiLimits) -> Kpi:
    """Minutes in ``running`` out of all minutes of the window; a missing minute did not run."""
    if not grid.minutes_with_state:
        return no_column("running_pct", grid, column="state", limit=limits.running_pct_min, unit="%")
    ran = grid.states.count(State.RUNNING)
    missing = grid.minutes - grid.present
    value = share_pct(ran, grid.minutes)
    why = f"running in {ran} of {grid.minutes} minutes"
    if missing:
        why += f"; {missing} missing minutes counted as not running"
    if grid.minutes_with_state < grid.present:
        why += f"; {grid.present - grid.minutes_with_state} minutes with another state or none counted as not running"
    good = value >= limits.running_pct_min
    return kpi(
        "running_pct", value=value, limit=limits.running_pct_min, unit="%", good=good, why=why, rows=1, of=1
    )


KPI = KpiDefinition(
    "running_pct",
    place=10,
    title="Running",
    measure=running_pct,
    asked="≥ {}",
    value="minutes in `running` of **all** minutes, %",
    passes="≥ 65",
    remarks="a missing minute did not run; it is said how many",
)
