"""``paper_reject_count``: rejected paper orders outside the warm-up after a start."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING

from triage.kpis.definition import KpiDefinition
from triage.kpis.grid import State
from triage.kpis.measure import known, kpi, measured, no_column

if TYPE_CHECKING:
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import Kpi

_RESTART_GAP = 5
"""So many missing minutes before a row make it the first of a start; fewer are a late writer."""

_DAY = 24 * 60


def paper_reject_count(grid: MinuteGrid, limits: KpiLimits, before: MinuteGrid | None = None) -> Kpi:
    """Rejects that were added outside the warm-up after a start.

    The column counts up; when it falls, a restart (or a new day) began it anew. ``before`` is the window
    before, whose last row is the base of the first one here.
    """
    name, limit = "paper_reject_count", limits.paper_reject_max
    column = grid.column("paper_reject_count")
    rows = sum(map(isfinite, column))
    if not rows:
        missing = no_column(name, grid, column="paper_reject_count", limit=limit, unit="rejects")
        hint = "; where the writer never records it, kpis.may_be_missing in desk.yaml can allow that"
        if before is not None and known(before.column("paper_reject_count")):
            hint = "; the period before has it"
        return replace(missing, why=missing.why + hint) if grid.present else missing
    added, forgiven = _rejects(grid, column, before, limits.warmup_minutes)
    why = (
        f"{added:g} rejects after warm-up ({limits.warmup_minutes} min after a start), {forgiven:g} during it"
    )
    return kpi(
        name,
        value=added,
        limit=limit,
        unit="rejects",
        good=added <= limit,
        why=why,
        rows=rows,
        of=grid.present,
    )


def _rejects(
    grid: MinuteGrid, column: list[float], before: MinuteGrid | None, warmup: int
) -> tuple[float, float]:
    """Return the rejects added after warm-ups, and within them."""
    last, last_row, warm_until = _lead(before, warmup)
    added = forgiven = 0.0
    for minute, code in enumerate(grid.states):
        if code == State.MISSING:
            continue
        if minute - last_row > _RESTART_GAP:
            warm_until = minute + warmup
        last_row = minute
        value = column[minute]
        if not isfinite(value):
            continue
        if last is not None and value < last:
            if (grid.start + minute) % _DAY:  # at midnight a counter of the day begins anew without a start
                warm_until = minute + warmup
            last = 0.0
        step = max(0.0, value - last) if last is not None else 0.0
        if minute < warm_until:
            forgiven += step if last is not None else value
        else:
            added += step
        last = value
    return added, forgiven


def _lead(before: MinuteGrid | None, warmup: int) -> tuple[float | None, int, int]:
    """Return the last count, the last row's minute and the end of the warm-up, all seen from the window's start.

    Without a window before, a bot that has a row at once is taken to have been running already.
    """
    if before is None:
        return None, -1, 0
    rows = [minute - before.minutes for minute, code in enumerate(before.states) if code != State.MISSING]
    if not rows:
        return None, -before.minutes - _RESTART_GAP, 0
    counts = [value for _, value in measured(before.column("paper_reject_count"))]
    starts = [
        now for was, now in zip([-before.minutes - 1, *rows], rows, strict=False) if now - was > _RESTART_GAP
    ]
    return counts[-1] if counts else None, rows[-1], starts[-1] + warmup if starts else 0


KPI = KpiDefinition(
    "paper_reject_count",
    place=90,
    title="Rejects",
    measure=paper_reject_count,
    measure_after=paper_reject_count,
    asked="≤ {}",
    value="rejects added outside warm-ups",
    passes="≤ 3",
    remarks="see below",
)
