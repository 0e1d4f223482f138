"""Stability: how much of the time the bot ran, and whether it flapped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triage.kpis.grid import State
from triage.kpis.measure import clock, kpi, no_column, share_pct

if TYPE_CHECKING:
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import Kpi

_STRETCH = re.compile(rb"(.)\1*", re.DOTALL)
_PAIR = frozenset({int(State.RUNNING), int(State.SOFT_PAUSE)})


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


def flaps(grid: MinuteGrid, limits: KpiLimits) -> Kpi:
    """Count changes running <-> soft_pause that came in bursts; single changes are how the bot works."""
    if not grid.minutes_with_state:
        return no_column("flaps", grid, column="state", limit=0, unit="changes")
    changes = _changes(grid)
    bursts = _bursts(changes, limits.flap_changes, limits.flap_window_minutes)
    count = sum(last - first + 1 for first, last in bursts)
    rule = f"{limits.flap_changes} or more within {limits.flap_window_minutes} min"
    if bursts:
        first, last = max(bursts, key=lambda burst: burst[1] - burst[0])
        why = (
            f"{count} of {len(changes)} changes running/soft_pause came in {len(bursts)} burst{'s' * (len(bursts) > 1)} "
            f"({rule}), the longest {clock(grid, changes[first])} to {clock(grid, changes[last])}"
        )
    else:
        why = f"{len(changes)} changes running/soft_pause, never {rule}"
    return kpi(
        "flaps",
        value=count,
        limit=0,
        unit="changes",
        good=not count,
        why=why,
        rows=grid.minutes_with_state,
        of=grid.present,
    )


def _changes(grid: MinuteGrid) -> list[int]:
    """Return the minutes in which the state went from running to soft_pause or back."""
    found: list[int] = []
    before = int(State.MISSING)
    for stretch in _STRETCH.finditer(grid.states):
        code = grid.states[stretch.start()]
        if not code or code == before:  # missing, or the same on both sides of a gap
            continue
        if code in _PAIR and before in _PAIR:
            found.append(stretch.start())
        before = code
    return found


def _bursts(changes: list[int], least: int, window: int) -> list[tuple[int, int]]:
    """Return index ranges of ``changes`` (both ends in) where ``least`` of them fit into ``window`` minutes."""
    bursts: list[tuple[int, int]] = []
    for first in range(len(changes) - least + 1):
        last = first + least - 1
        if changes[last] - changes[first] >= window:
            continue
        if bursts and first <= bursts[-1][1]:
            bursts[-1] = (bursts[-1][0], last)
        else:
            bursts.append((first, last))
    return bursts
