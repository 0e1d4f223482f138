"""``risk_hard_stops``: hard stops that a risk limit made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from triage.kpis.definition import KpiDefinition
from triage.kpis.grid import State
from triage.kpis.measure import clock, kpi, no_column, not_measured

if TYPE_CHECKING:
    from triage.kpis.grid import MinuteGrid
    from triage.kpis.limits import KpiLimits
    from triage.kpis.model import Kpi

CAP_REASONS = frozenset({"projected_total_quote_above_cap"})


def is_risk_reason(reason: str) -> bool:
    """Return whether a guard's reason is a risk limit: every ``*_hard_limit``, and the cap on the total quote."""
    return reason.endswith("_hard_limit") or reason in CAP_REASONS


def risk_hard_stops(grid: MinuteGrid, _limits: KpiLimits) -> Kpi:
    """Hard stops by a risk limit; one whose reason was not written may have been one, so it is no pass."""
    name = "risk_hard_stops"
    if not grid.minutes_with_state:
        return no_column(name, grid, column="state", limit=0, unit="stops")
    stops = hard_stops(grid)
    by_risk = [stop for stop in stops if stop.by_risk]
    silent = [stop for stop in stops if not stop.reasons]
    if by_risk:
        reasons = sorted({reason for stop in by_risk for reason in stop.reasons if is_risk_reason(reason)})
        why = f"{', '.join(reasons)}; first at {clock(grid, by_risk[0].minute)} UTC"
    elif silent:
        times = ", ".join(clock(grid, stop.minute) for stop in silent[:3])
        why = f"{len(silent)} hard stops without a reason in the rows (first at {times} UTC)"
        return not_measured(name, limit=0, unit="stops", why=why)
    elif stops:
        reasons = sorted({reason for stop in stops for reason in stop.reasons})
        why = f"{len(stops)} hard stops, none by a risk limit ({', '.join(reasons)})"
    else:
        why = "no hard stop"
    return kpi(
        name,
        value=len(by_risk),
        limit=0,
        unit="stops",
        good=not by_risk,
        why=why,
        rows=grid.minutes_with_state,
        of=grid.present,
    )


@dataclass(slots=True)
class HardStop:
    """A hard stop: from its first minute until another state is seen, with the reasons of all its rows."""

    minute: int
    reasons: set[str] = field(default_factory=set)

    @property
    def by_risk(self) -> bool:
        """A risk limit is among its reasons."""
        return any(is_risk_reason(reason) for reason in self.reasons)


def hard_stops(grid: MinuteGrid) -> list[HardStop]:
    """Return the hard stops of the window; one that stood already at its start is the first."""
    if State.HARD_STOP not in grid.states and not grid.hidden_stops:
        return []
    found: list[HardStop] = []
    stopped = False
    for minute, code in enumerate(grid.states):
        if code == State.MISSING:
            continue
        reasons = set(grid.hidden_stops.get(minute, ()))
        if code == State.HARD_STOP:
            reasons.add(grid.reasons[minute])
        if reasons:
            if not stopped:
                found.append(HardStop(minute))
            found[-1].reasons.update(part for number in reasons for part in _parts(grid.reason(number)))
        stopped = code == State.HARD_STOP
    return found


def _parts(reasons: str) -> list[str]:
    return [part.strip() for part in reasons.split("|") if part.strip()]


KPI = KpiDefinition(
    "risk_hard_stops",
    place=60,
    title="Risk hard stops",
    measure=risk_hard_stops,
    is_risk=True,
    value="hard stops with a risk limit among their reasons",
    passes="= 0",
    remarks="see below",
)
