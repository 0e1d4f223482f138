"""``tracking_error``: the base share, back to its target after a large deviation."""

from __future__ import annotations

from itertools import pairwise
from math import inf, isinf, nan
from typing import TYPE_CHECKING

from triage.kpis.definition import KpiDefinition
from triage.kpis.measure import clock, known, kpi, measured, no_column

if TYPE_CHECKING:
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import Kpi

BLOCK_MINUTES = 30
"""A large deviation is judged by blocks of so many measured minutes, each against the one before."""

_SHRINK = 0.995
"""A block has to be at least half a percent below the one before: less is the price moving, not the bot."""


def tracking_error(grid: MinuteGrid, limits: KpiLimits) -> Kpi:
    """Minutes in which |base_pct - target| was large and did not shrink, in blocks of half an hour."""
    name = "tracking_error"
    pairs = zip(grid.column("base_pct"), grid.column("target_base_pct"), strict=True)
    column = [abs(base - target) for base, target in pairs]
    if inf in column:
        column = [nan if isinf(error) else error for error in column]
    errors = known(column)
    if not errors:
        return no_column(name, grid, column="base_pct and target_base_pct", limit=0, unit="min")
    worst = max(errors)
    runs = _large_runs(measured(column), limits.large_deviation) if worst >= limits.large_deviation else []
    stalled = [(run, _stalled_blocks(run)) for run in runs]
    value = float(BLOCK_MINUTES * sum(blocks for _, blocks in stalled))
    mean, minute = sum(errors) / len(errors), column.index(worst)
    why = f"deviation {mean:.2f} on average, at most {worst:.2f} at {clock(grid, minute)} UTC"
    if value:
        run = next(run for run, blocks in stalled if blocks)
        why += f"; from {clock(grid, run[0][0])} UTC on it stood at {limits.large_deviation:g} or more without shrinking"
    elif runs and runs[-1][-1][0] == measured(column)[-1][0] and len(runs[-1]) < 2 * BLOCK_MINUTES:
        why += "; the last large deviation is too young to be judged"
    elif runs:
        why += f"; {len(runs)} large deviations, all shrank"
    return kpi(
        name, value=value, limit=0, unit="min", good=value == 0, why=why, rows=len(errors), of=grid.present
    )


def _large_runs(errors: list[tuple[int, float]], large: float) -> list[list[tuple[int, float]]]:
    """Return the stretches of measured minutes in which the deviation was large throughout."""
    runs: list[list[tuple[int, float]]] = []
    inside = False
    for minute, error in errors:
        if error < large:
            inside = False
            continue
        if not inside:
            runs.append([])
            inside = True
        runs[-1].append((minute, error))
    return runs


def _stalled_blocks(run: list[tuple[int, float]]) -> int:
    """Return how many full blocks of a stretch are not below the block before."""
    values = [error for _, error in run]
    blocks = [
        sum(values[at : at + BLOCK_MINUTES]) / BLOCK_MINUTES
        for at in range(0, len(values) - BLOCK_MINUTES + 1, BLOCK_MINUTES)
    ]
    return sum(1 for was, now in pairwise(blocks) if now > was * _SHRINK)


KPI = KpiDefinition(
    "tracking_error",
    place=110,
    title="Tracking error",
    measure=tracking_error,
    value="minutes a large deviation stood without shrinking",
    passes="= 0",
    remarks="see below",
)
