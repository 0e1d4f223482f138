"""Notices that the wall clock was set, by comparing it with the time that has really passed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from loguru import logger

from triage.clock_jumps import JUMP_SECONDS, remember
from triage.ports.clock import Clock, SystemClock
from triage.ports.store import Store

LOOK_EVERY_SECONDS = 2.0
SAID_SECONDS = 600.0
"""How long ``/readyz`` says that the clock was set."""


def boot_seconds() -> float:
    """Return seconds that only ever go on, also while the machine sleeps (``CLOCK_BOOTTIME``)."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def real_seconds_of(clock: Clock) -> Callable[[], float]:
    """Return what a clock is compared with: a simulated one is its own measure, however fast it runs."""
    return boot_seconds if isinstance(clock, SystemClock) else lambda: clock.now().timestamp()


@dataclass(slots=True)
class ClockWatch:
    """Looks every two seconds. A jump while the service is down is not seen: what was owed then is due at once."""

    store: Store
    clock: Clock
    real_seconds: Callable[[], float] = boot_seconds
    whose: str = "the machine's"
    _last: tuple[datetime, float] | None = None
    _said: tuple[float, str] = (float("-inf"), "")

    @property
    def trouble(self) -> str:
        """Say that the clock was set lately; empty where it was not."""
        at, text = self._said
        return text if self.real_seconds() - at <= SAID_SECONDS else ""

    async def run(self) -> float:
        """Compare; returns by how many seconds the clock was set since the last look, 0 where it was not."""
        now, really = self.clock.now(), self.real_seconds()
        last, self._last = self._last, (now, really)
        if last is None:
            return 0.0
        seconds = (now - last[0]).total_seconds() - (really - last[1])
        if abs(seconds) < JUMP_SECONDS:
            return 0.0
        text = f"{self.whose} clock was set by {seconds:+.0f} s when it said {last[0]:%H:%M:%S} UTC"
        self._said = (really, text)
        logger.warning("{text}: what is waited for is moved along", text=text)
        before = last[0]
        try:
            await self.store.write(lambda tx: remember(tx, before, seconds))
        except BaseException:
            self._last = last  # not kept: seen again at the next look
            raise
        return seconds
