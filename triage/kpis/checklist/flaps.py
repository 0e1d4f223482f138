"""``flaps``: whether the bot went back and forth between running and pause."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triage.kpis.definition import KpiDefinition
from triage.kpis.grid import State
from triage.kpis.measure import clock, kpi, no_column

if TYPE_CHECKING:
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import Kpi

_STRETCH = re.compile(rb"(.)\1*", re.DOTALL)

_PAIR = frozenset({int(State.RUNNING), int(State.SOFT_PAUSE)})


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


KPI = KpiDefinition(
    "flaps",
    place=20,
    title="Flapping",
    measure=flaps,
    value="changes running ↔ soft_pause that came in bursts",
    passes="= 0",
    remarks="a burst: 4 changes or more within 10 minutes. Single pauses are how the bot works. "
    "Missing minutes are stepped over",
)
