"""The lease of a running action: how long the process that runs it may take it for its own.

Other processes judge by the ``lease_until`` in the store. The process itself judges by both of its clocks: the
monotonic one stands still while a machine sleeps, the other one can be set.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.ports.clock import Clock

LEASE_SECONDS = 12.0
"""Renewed every two seconds; longer than any commit that succeeds at its first try."""


class LeaseLost(Exception):
    """The lease of this action has ended: another process may hold the action by now."""


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time by both clocks."""

    now: datetime
    monotonic: float


@dataclass(slots=True)
class Lease:
    """What this process knows of its lease, without asking the store."""

    clock: Clock
    _renewed: Instant | None = None

    def moment(self) -> Instant:
        """Return the present. Take it before the commit that renews: a commit takes time."""
        return Instant(self.clock.now(), self.clock.monotonic())

    def until(self) -> datetime:
        """Return when a lease that is written now ends."""
        return self.clock.now() + timedelta(seconds=LEASE_SECONDS)

    def renewed(self, at: Instant) -> None:
        """Take note of a commit that renewed it, begun at ``at``."""
        self._renewed = at

    @property
    def sure(self) -> bool:
        """Nobody can have taken it away yet."""
        if self._renewed is None:
            return False
        present, since = self.moment(), self._renewed
        passed = (present.now - since.now).total_seconds(), present.monotonic - since.monotonic
        return max(passed) < LEASE_SECONDS
