"""How loops last and show that they turn, and the loop that runs triage."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from loguru import logger

from triage.errors import CommitUnknown, StoreUnavailable
from triage.masking import masked
from triage.model import TriageRun
from triage.ports.bell import Bell
from triage.ports.clock import Clock
from triage.runs.runner import TriageRunner
from triage.wording import duration

IDLE_SECONDS = 5.0
"""How often a loop looks even though nobody rang: another replica may have left work and died."""
AGAIN_SECONDS = 5.0
TRIAGES_AT_ONCE = 4
TRIAGES_KEPT = 4
"""Places beyond these that only a Sev-1 may take."""
FAULT_SHOWN_SECONDS = 300.0
"""How long a loop that failed and started again is shown as a trouble."""


async def lasting(name: str, loop: Callable[[], Awaitable[None]], pulse: Pulse | None = None) -> None:
    """Run a loop for good: a fault of its own is logged, shown by the pulse, and does not take the service with it."""
    while True:
        try:
            await loop()
        except StoreUnavailable as error:  # said once, by the store
            logger.debug("{name} waits for the store: {why}", name=name, why=error)
            await asyncio.sleep(AGAIN_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is, alerts must still get through
            logger.opt(exception=error).error("{name} failed; it starts again", name=name)
            if pulse is not None:
                pulse.failed(name, error)
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return


@dataclass(slots=True)
class Pulse:
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

    def failed(self, name: str, error: Exception) -> None:
        """Note that a loop failed, or one item of it, and goes on."""
        self.faults[name] += 1
        self._last_faults[name] = (self.clock.monotonic(), masked(f"{type(error).__name__}: {error}")[:200])

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


@dataclass(slots=True)
class TriageLoop:
    """Runs queued triages side by side, the gravest incidents first.

    Some places are kept for Sev-1: a summary of one never waits behind warnings whose source hangs.
    """

    conductor: TriageRunner
    waiting: Bell
    pulse: Pulse
    _runs: set[int] = field(default_factory=set)
    _ended: Bell = field(default_factory=Bell)

    async def run(self) -> None:
        """Run triages until cancelled; the ones under way end with it, and are taken again later."""
        self._runs.clear()
        async with asyncio.TaskGroup() as group:
            while True:
                self.pulse.beat("triage")
                if len(self._runs) >= TRIAGES_AT_ONCE + TRIAGES_KEPT:
                    await self._ended.wait(IDLE_SECONDS)
                    continue
                run = await self._take(urgent=len(self._runs) >= TRIAGES_AT_ONCE)
                if run is None:
                    await self._woken()
                    continue
                self._runs.add(run.id)
                group.create_task(self._conduct(run))

    async def _woken(self) -> None:
        """Wait until something is queued or, where every common place was taken, one of them is free."""
        if len(self._runs) < TRIAGES_AT_ONCE:
            await self.waiting.wait(IDLE_SECONDS)
            return
        bells = [asyncio.ensure_future(bell.wait(IDLE_SECONDS)) for bell in (self.waiting, self._ended)]
        try:
            await asyncio.wait(bells, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in bells:
                each.cancel()

    async def _take(self, *, urgent: bool) -> TriageRun | None:
        try:
            return await self.conductor.take(urgent=urgent)
        except CommitUnknown:
            # It may be claimed for us without our knowing: given back, it is taken again at once.
            with suppress(StoreUnavailable):
                await self.conductor.give_back(but=frozenset(self._runs))
            return None
        except StoreUnavailable as error:
            logger.debug("no triage taken: {error}", error=error)
            return None

    async def _conduct(self, run: TriageRun) -> None:
        try:
            await self.conductor.conduct(run)
        except StoreUnavailable as error:
            # The run stays claimed; when its lease ends it is taken again.
            logger.bind(incident=f"INC-{run.incident_id}").error("triage not stored: {error}", error=error)
        except Exception as error:  # noqa: BLE001 - one triage's fault must not stop the others
            logger.bind(incident=f"INC-{run.incident_id}").exception("triage failed")
            self.pulse.failed("triage", error)
            await self._failed(run, error)
        finally:
            self._runs.discard(run.id)
            self._ended.ring()

    async def _failed(self, run: TriageRun, error: Exception) -> None:
        """End the run as failed, so that no card goes on saying that it runs."""
        try:
            await self.conductor.failed(run, error)
        except StoreUnavailable as away:
            logger.bind(incident=f"INC-{run.incident_id}").error("triage not stored: {error}", error=away)
        except Exception as second:  # noqa: BLE001 - its lease ends, and it is tried again then
            logger.bind(incident=f"INC-{run.incident_id}").exception("the failed triage could not be ended")
            self.pulse.failed("triage", second)
