"""Is this more than usual: a rate against its own baseline."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from triage.desk import Desk
from triage.desk_events import EventKind
from triage.ports.store import Tx
from triage.wording import number

_LITTLE_HISTORY_HOURS = 1.0
_FRESH = timedelta(minutes=1)
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


@dataclass(slots=True)
class Rates:
    """Asks for rates; what a kind had before is asked once a minute, for it hardly moves."""

    desk: Desk
    _before: dict[EventKind, tuple[datetime, int, float]] = field(default_factory=dict)

    def of(self, tx: Tx, kinds: Collection[EventKind], now: datetime) -> dict[EventKind, Rate]:
        """Return the rates of kinds as they are now, against as much of the baseline as was counted."""
        if not kinds:
            return {}
        window = now - timedelta(minutes=self.desk.listening.window_minutes)
        self._refresh(tx, kinds, window, now)
        count = tx.events.counts(kinds, start=window, end=now + timedelta(minutes=1))
        return {kind: Rate(count[kind], *self._before[kind][1:]) for kind in kinds}

    def _refresh(self, tx: Tx, kinds: Collection[EventKind], window: datetime, now: datetime) -> None:
        old = now - _FRESH
        self._before = {kind: known for kind, known in self._before.items() if old < known[0] <= now}
        wanted = [kind for kind in kinds if kind not in self._before]
        if not wanted:
            return
        begin = now - timedelta(hours=self.desk.listening.baseline_hours)
        counted = max(begin, tx.events.counted_since() or now)
        hours = max(0.0, (window - counted).total_seconds() / 3600)
        before = tx.events.counts(wanted, start=begin, end=window)
        self._before.update((kind, (now, before[kind], hours)) for kind in wanted)


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
