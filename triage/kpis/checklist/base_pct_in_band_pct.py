"""``base_pct_in_band_pct``: the base share inside its hard band."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triage.kpis.definition import KpiDefinition
from triage.kpis.measure import known, kpi, no_column, share_pct

if TYPE_CHECKING:
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import Kpi

_INSIDE_PCT_MIN = 100.0


def base_pct_in_band_pct(grid: MinuteGrid, limits: KpiLimits) -> Kpi:
    """Share of the rows with ``base_pct`` inside the hard band, both ends in; it has to be all of them."""
    name = "base_pct_in_band_pct"
    found = known(grid.column("base_pct"))
    if not found:
        return no_column(name, grid, column="base_pct", limit=_INSIDE_PCT_MIN, unit="%")
    low, high = limits.base_pct
    least, most = min(found), max(found)
    everywhere = low <= least and most <= high
    inside = len(found) if everywhere else sum(1 for value in found if low <= value <= high)
    value = share_pct(inside, len(found))
    why = f"base share {least:.2f} to {most:.2f}, band {low:.2f} to {high:.2f}"
    if inside < len(found):
        why += f"; outside in {len(found) - inside} of {len(found)} rows"
    return kpi(
        name,
        value=value,
        limit=_INSIDE_PCT_MIN,
        unit="%",
        good=inside == len(found),
        why=why,
        rows=len(found),
        of=grid.present,
    )


KPI = KpiDefinition(
    "base_pct_in_band_pct",
    place=100,
    title="Base in its band",
    measure=base_pct_in_band_pct,
    value="rows inside the hard band, both ends in, %",
    passes="= 100",
)
