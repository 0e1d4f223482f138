"""``fee_source_resolved_pct``: whether the source of the fees stays resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.kpis.definition import KpiDefinition
from triage.kpis.grid import Fee
from triage.kpis.measure import kpi, no_column, share_pct

if TYPE_CHECKING:
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import Kpi


def fee_source_resolved_pct(grid: MinuteGrid, limits: KpiLimits) -> Kpi:
    """Share of the rows whose ``fee_source`` is ``api:``, ``connector:`` or ``project:``."""
    name, limit = "fee_source_resolved_pct", limits.fee_source_resolved_pct_min
    resolved = grid.fees.count(Fee.RESOLVED)
    known = resolved + grid.fees.count(Fee.UNRESOLVED)
    if not known:
        return no_column(name, grid, column="fee_source", limit=limit, unit="%")
    value = share_pct(resolved, known)
    why = f"resolved in {resolved} of {known} rows"
    if resolved < known:
        why += f"; unresolved: {', '.join(sorted(grid.unresolved))}"
    good = value >= limit
    return kpi(name, value=value, limit=limit, unit="%", good=good, why=why, rows=known, of=grid.present)


KPI = KpiDefinition(
    "fee_source_resolved_pct",
    place=80,
    title="Fee source resolved",
    measure=fee_source_resolved_pct,
    value="rows with `api:`, `connector:` or `project:`, %",
    passes="= 100",
    remarks='"remains resolved"; the unresolved names are told',
)
