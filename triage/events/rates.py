"""Is this more than usual: a rate against its own baseline."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.desk import Desk
from triage.events.model import Kind
from triage.ports.store import Tx
from triage.wording import number

_LITTLE_HISTORY_HOURS = 1.0
_CAUTION = 4
"""With less than an hour of history nothing is known to be unusual: this many times the floor is asked."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``count`` in the window; ``before`` in the ``hours`` before it (as much of the baseline as we were there for)."""

    count: int
    before: int
    hours: float

    def usual(self, window_minutes: float) -> float:
        """How many a window of this length had before."""
        return self.before / self.hours * window_minutes / 60 if self.hours > 0 else 0.0


def rates_of(tx: Tx, desk: Desk, kinds: Collection[Kind], now: datetime) -> dict[Kind, Rate]:
    """Return the rates of kinds as they are now, against as much of the baseline as was counted."""
    if not kinds:
        return {}
    window, soon = now - timedelta(minutes=desk.listening.window_minutes), now + timedelta(minutes=1)
    begin = now - timedelta(hours=desk.listening.baseline_hours)
    counted = max(begin, tx.events.counted_since() or now)
    count = tx.events.counts(kinds, start=window, end=soon)
    before = tx.events.counts(kinds, start=begin, end=window)
    hours = max(0.0, (window - counted).total_seconds() / 3600)
    return {kind: Rate(count[kind], before[kind], hours) for kind in kinds}


def surge(rate: Rate, desk: Desk, what: str) -> str:
    """Say in words how far a rate is above its baseline; empty where it is not."""
    policy, minutes = desk.listening, desk.listening.window_minutes
    usual = rate.usual(minutes)
    known = rate.hours >= _LITTLE_HISTORY_HOURS
    floor = policy.burst_min if known else policy.burst_min * _CAUTION
    if rate.count < floor or rate.count <= desk.streams.burst_factor * usual:
        return ""
    compared = f"usual: {number(round(usual, 1))}" if known else "no baseline yet"
    return f"{rate.count} in {minutes} min ({compared}): {what}"
