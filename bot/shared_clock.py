"""One clock for all replicas: the database's.

Leases, due times, looks and schedules are written by one replica and read by another. So each goes by the clock that they
share, whatever its own machine says: ``now`` is the database's time at the last comparison and the seconds that have
really passed since. A machine's clock that is wrong, or set, moves nothing.

The database answers some time after it looked at its clock: its answer says between which two times its clock is ahead.
What is believed moves only where it lies outside of these, so that a slow answer changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from schedules.clock_watch import boot_seconds
from triage.ports.clock import Clock, SystemClock
from triage.ports.store import Tx

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SharedClock(SystemClock):
    """The database's clock, once it was compared; the machine's until then, and where no database is shared."""

    def __init__(self, machine: Clock | None = None, passed: Callable[[], float] = boot_seconds) -> None:
        self.machine = machine or SystemClock()
        self._passed = passed
        self._began: float | None = None
        """What the database's clock said when ``passed`` was 0, in seconds of the epoch."""

    def now(self) -> datetime:
        """Return the present in UTC, as all replicas have it."""
        if self._began is None:
            return self.machine.now()
        return _EPOCH + timedelta(seconds=self._began + self._passed())

    def compare(self, tx: Tx) -> float | None:
        """Ask the database for its time. Returns by how many seconds the machine's is ahead; None: it has none."""
        asked = self._passed()
        there = tx.server_time()
        answered = self._passed()
        if there is None:
            return None
        seconds = (there - _EPOCH).total_seconds()
        least, most = seconds - answered, seconds - asked
        began = (least + most) / 2 if self._began is None else self._began
        self._began = min(max(began, least), most)
        return (self.machine.now() - there).total_seconds()
