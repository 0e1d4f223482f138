"""One bot as its metrics show it."""

from __future__ import annotations

from dataclasses import dataclass, field

from triage.model import FindingStatus


@dataclass(slots=True)
class BotNow:
    """One bot as its metrics show it; ``bot_state`` has the units."""

    state: str | None = None
    frozen: bool = False
    age_seconds: float | None = None
    held_seconds: float | None = None
    held_at_least: bool = False
    net_edge: float | None = None
    net_edge_15m: float | None = None
    drawdown: float | None = None
    daily_loss: float | None = None
    base_pct: float | None = None
    edge_gate: bool | None = None
    reasons: list[str] = field(default_factory=list)
    orders: float | None = None
    daily_pnl: float | None = None
    cancel_per_min: float | None = None
    turnover: float | None = None
    error_lines: float | None = None
    regime: str = ""
    turns_hour: int | None = None
    no_number: list[str] = field(default_factory=list)

    @property
    def status(self) -> FindingStatus:
        """What this bot's state means."""
        if self.state is None:
            return FindingStatus.UNKNOWN
        if self.frozen or self.state == "hard_stop":
            return FindingStatus.CRITICAL
        losing = self.net_edge_15m is not None and self.net_edge_15m < 0
        return FindingStatus.WARNING if self.state != "running" or losing else FindingStatus.OK
