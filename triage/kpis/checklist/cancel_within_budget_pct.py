"""``cancel_within_budget_pct``: cancels within their budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.kpis.definition import KpiDefinition
from triage.kpis.measure import known, kpi, no_column, share_pct

if TYPE_CHECKING:
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import Kpi


def cancel_within_budget_pct(grid: MinuteGrid, limits: KpiLimits) -> Kpi:
    """Share of the samples with ``cancel_per_min`` at most the budget; it has to be above the limit."""
    name, limit = "cancel_within_budget_pct", limits.cancel_within_budget_pct_min
    found = known(grid.column("cancel_per_min"))
    if not found:
        return no_column(name, grid, column="cancel_per_min", limit=limit, unit="%")
    budget = limits.cancel_budget_per_min
    worst = max(found)
    within = len(found) if worst <= budget else sum(1 for value in found if value <= budget)
    value = share_pct(within, len(found))
    why = (
        f"{within} of {len(found)} samples within {budget:g} a minute (has to be above {limit:g} %), "
        f"highest {worst:g}"
    )
    return kpi(
        name,
        value=value,
        limit=limit,
        unit="%",
        good=value > limit,
        why=why,
        rows=len(found),
        of=grid.present,
    )


KPI = KpiDefinition(
    "cancel_within_budget_pct",
    place=70,
    title="Cancels in budget",
    measure=cancel_within_budget_pct,
    asked="> {}",
    value="samples with `cancel_per_min` ≤ budget, %",
    passes="> 95",
)
