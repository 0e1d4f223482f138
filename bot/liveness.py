"""Loops that run until the end, and whether each of them still completes its rounds."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from loguru import logger

from triage.concurrency import FAULTS, RepeatedFault, is_stop
from triage.errors import StoreUnavailable
from triage.masking import masked
from triage.ports.clock import Clock
from triage.wording import duration

IDLE_SECONDS = 5.0
"""How often a loop looks even though nobody rang: another replica may have left work and died."""
AGAIN_SECONDS = 5.0
"""How long a loop that failed waits before it starts again."""
FAULT_SHOWN_SECONDS = 300.0
"""How long a loop that failed and started again is shown as a trouble."""


async def lasting(name: str, loop: Callable[[], Awaitable[None]], liveness: Liveness | None = None) -> None:
    """Run a loop for good: a fault of its own is logged, shown in ``/readyz``, and does not take the service with it."""
    fault = RepeatedFault(name)
    while True:
        began = asyncio.get_running_loop().time()
        try:
            await loop()
        except StoreUnavailable as error:  # said once, by the store
            logger.debug("{name} waits for the store: {why}", name=name, why=error)
            await asyncio.sleep(AGAIN_SECONDS)
        except FAULTS as error:  # whatever it is, alerts must still get through
            if is_stop(error):
                raise
            if asyncio.get_running_loop().time() - began > FAULT_SHOWN_SECONDS:
                fault.over()  # it went on for a while: a fault of its own
            fault.met(error)
            if liveness is not None:
                liveness.failed(name, error)
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return


@dataclass(slots=True)
class Liveness:
    """When each loop last went round, by the monotonic clock in seconds: a stuck one shows in ``/readyz``."""

    clock: Clock
    beats: dict[str, float] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    """How often each loop failed by a fault of ours."""
    _last_faults: dict[str, tuple[float, str]] = field(default_factory=dict)

    def watch(self, name: str, seconds: float) -> None:
        """Expect a loop to go round at least so often from now on: one that hangs in its first round is stuck too."""
        self.limits[name] = seconds
        self.beat(name)

    def stuck(self, name: str) -> str:
        """Say in words that a watched loop has not gone round for too long; empty where it has."""
        age, limit = self.age(name), self.limits.get(name)
        if age is None or limit is None or age <= limit:
            return ""
        return f"stuck: has not gone round for {duration(age)}"

    def failed(self, name: str, error: BaseException) -> None:
        """Note that a loop failed, or one item of it, and goes on."""
        self.faults[name] += 1
        self._last_faults[name] = (self.clock.monotonic(), masked(f"{type(error).__name__}: {error}")[:200])

    def failing(self, name: str) -> str:
        """Say by what a loop failed that has not gone round since; empty where it has."""
        at, why = self._last_faults.get(name, (float("-inf"), ""))
        return why if at >= self.beats.get(name, float("-inf")) else ""

    def trouble(self, name: str) -> str:
        """Say that a loop is stuck or failed lately; empty where it goes well."""
        if stuck := self.stuck(name):
            return stuck
        at, why = self._last_faults.get(name, (float("-inf"), ""))
        age = self.clock.monotonic() - at
        return f"failed {duration(age)} ago, and goes on: {why}" if age <= FAULT_SHOWN_SECONDS else ""

    def beat(self, name: str) -> None:
        """Note that a loop went round."""
        self.beats[name] = self.clock.monotonic()

    def age(self, name: str) -> float | None:
        """Return seconds since a loop went round; None where it never did."""
        beat = self.beats.get(name)
        return None if beat is None else self.clock.monotonic() - beat
