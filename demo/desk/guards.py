"""A bot's own guards: from what it sees to a state and the reasons for it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

State = Literal["running", "soft_pause", "hard_stop"]
CANCEL_FAIL_STREAK = 8
OPERATIONAL_CYCLES = 6


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits out of the controller YAML; shares of 1."""

    min_base_pct: float = 0.15
    max_base_pct: float = 0.90
    max_daily_loss_pct: float = 0.03
    max_drawdown_pct: float = 0.025
    max_daily_turnover_x: float = 3.0


@dataclass(frozen=True, slots=True)
class GuardInputs:
    """What the guards look at on one tick; shares of 1."""

    base_pct: float
    daily_loss_pct: float
    drawdown_pct: float
    turnover_x: float
    edge_blocked: bool
    high_vol: bool
    bus_outage: bool
    paused_by_intent: bool
    killed: bool
    cancel_fail_streak: int
    operational_cycles: int
    controller_broken: bool
    book_stale: bool
    fee_resolved: bool
    connector_ready: bool = True
    held_by: Mapping[str, bool] = field(default_factory=dict)
    """Further guards that hold, by their reason; true for those that stop hard."""


def decide(seen: GuardInputs, limits: Limits) -> tuple[State, tuple[str, ...]]:
    """Return the state the guards want and why; hard reasons win over soft ones."""
    hard = {
        "external_kill_switch": seen.killed,
        "drawdown_hard_limit": seen.drawdown_pct >= limits.max_drawdown_pct,
        "daily_loss_hard_limit": seen.daily_loss_pct >= limits.max_daily_loss_pct,
        "daily_turnover_hard_limit": seen.turnover_x >= limits.max_daily_turnover_x,
        "cancel_fail_hard_limit": seen.cancel_fail_streak >= CANCEL_FAIL_STREAK,
        "fee_unresolved": not seen.fee_resolved,
    }
    reasons = tuple(name for name, true in hard.items() if true)
    reasons += tuple(name for name, is_hard in seen.held_by.items() if is_hard)
    if seen.controller_broken and seen.operational_cycles >= OPERATIONAL_CYCLES:
        reasons = (*reasons, "connector_not_ready")
    if reasons:
        return "hard_stop", reasons
    soft = {
        "connector_not_ready": seen.controller_broken or not seen.connector_ready,
        "edge_gate_blocked": seen.edge_blocked,
        "high_vol": seen.high_vol,
        "base_pct_below_min": seen.base_pct < limits.min_base_pct,
        "base_pct_above_max": seen.base_pct > limits.max_base_pct,
        "order_book_stale": seen.book_stale,
        "bus_outage": seen.bus_outage,
        "external_intent": seen.paused_by_intent,
    }
    reasons = tuple(name for name, true in soft.items() if true)
    reasons += tuple(name for name, is_hard in seen.held_by.items() if not is_hard)
    return ("soft_pause", reasons) if reasons else ("running", ())
