"""The two loops between a stored signal and a told verdict: sorting the inbox, running triage."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from loguru import logger

from triage.errors import StoreUnavailable
from triage.incidents.intake import Intake, Pass
from triage.incidents.triage_runner import Conductor
from triage.model import TriageRun
from triage.ports.bell import Bell
from triage.ports.clock import Clock
from triage.ports.store import Store
from triage.wording import duration

IDLE_SECONDS = 5.0
"""How often a loop looks even though nobody rang: another replica may have left work and died."""
SHARE, SHARE_AT_ONCE, REST_SECONDS = 0.14, 0.15, 0.5
"""The part of the time that the sorter works in a storm, the seconds it may work before that binds it, its longest rest.

In a storm the store's writer belongs to the webhooks that wait for their 200; what waits in the inbox is safe.
"""
AGAIN_SECONDS = 5.0
TRIAGES_AT_ONCE = 4
_RETRY_SECONDS = (0.5, 1.5)


async def lasting(name: str, loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop for good: a fault of its own is logged and does not take the service with it."""
    while True:
        try:
            await loop()
        except Exception as error:  # noqa: BLE001 - whatever it is, alerts must still get through
            logger.opt(exception=error).error("{name} failed; it starts again", name=name)
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return


@dataclass(slots=True)
class Pulse:
    """When each loop last went round, by the monotonic clock in seconds: a stuck one shows in ``/readyz``."""

    clock: Clock
    beats: dict[str, float] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)

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

    def beat(self, name: str) -> None:
        """Note that a loop went round."""
        self.beats[name] = self.clock.monotonic()

    def age(self, name: str) -> float | None:
        """Return seconds since a loop went round; None where it never did."""
        beat = self.beats.get(name)
        return None if beat is None else self.clock.monotonic() - beat


@dataclass(slots=True)
class Share:
    """Lets work take a part of the time only, but a little of it at once: a lone alert never waits for a rest."""

    part: float
    at_once: float
    _left: float = 0.0
    _last: float = float("-inf")

    def rest(self, began: float, ended: float) -> float:
        """Return the seconds to rest after work that began and ended then (monotonic)."""
        earned = (ended - self._last) * self.part
        self._last = ended
        self._left = min(self.at_once, self._left + earned) - (ended - began)
        return max(0.0, -self._left / self.part)


@dataclass(slots=True)
class Sorter:
    """Sorts the inbox whenever signals were stored."""

    store: Store
    intake: Intake
    clock: Clock
    inbox: Bell
    outbox: Bell
    triage: Bell
    pulse: Pulse
    share: Share = field(default_factory=lambda: Share(SHARE, SHARE_AT_ONCE))

    async def run(self) -> None:
        """Sort until cancelled. A store that is away is waited for: nothing is lost meanwhile."""
        while True:
            self.pulse.beat("sorter")
            began = self.clock.monotonic()
            try:
                done = await self.once()
            except StoreUnavailable as error:
                logger.error("inbox not sorted: {error}", error=error)
                await asyncio.sleep(random.uniform(*_RETRY_SECONDS))  # noqa: S311 - jitter
                continue
            except Exception:  # noqa: BLE001 - one signal that cannot be sorted must not hold up all others
                logger.exception("a pass over the inbox failed; sorting one by one")
                done = await self._one_by_one()
            rest = self.share.rest(began, self.clock.monotonic())
            await asyncio.sleep(min(rest, REST_SECONDS))
            if not done.more:
                await self.inbox.wait(IDLE_SECONDS)

    async def _one_by_one(self) -> Pass:
        """Sort the oldest signal alone; one that cannot be sorted is put aside with its error."""
        try:
            await self.store.write(lambda tx: self.intake.sort_inbox(tx, self.clock.now(), limit=1))
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            outcome = f"error: {type(error).__name__}: {error}"[:500]
            put_aside = await self.store.write(lambda tx: self.intake.put_aside(tx, outcome))
            logger.opt(exception=error).error("signal {id} put aside", id=put_aside)
        self.outbox.ring()
        self.triage.ring()
        return Pass(more=True)

    async def once(self) -> Pass:
        """Sort what is stored now."""
        done = await self.store.write(lambda tx: self.intake.sort_inbox(tx, self.clock.now()))
        for incident in done.opened:
            logger.bind(incident=incident.number).info(
                "opened: {title} ({severity})", title=incident.title, severity=incident.severity
            )
        if done.sorted:
            self.outbox.ring()
            self.triage.ring()
        return done


@dataclass(slots=True)
class TriageLoop:
    """Runs queued triages, a few side by side."""

    conductor: Conductor
    waiting: Bell
    pulse: Pulse

    async def run(self) -> None:
        """Run triages until cancelled; the ones under way end with it, and are taken again later."""
        free = asyncio.Semaphore(TRIAGES_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            while True:
                self.pulse.beat("triage")
                await free.acquire()
                run = await self._take()
                if run is None:
                    free.release()
                    await self.waiting.wait(IDLE_SECONDS)
                    continue
                group.create_task(self._conduct(run, free))

    async def _take(self) -> TriageRun | None:
        try:
            return await self.conductor.take()
        except StoreUnavailable as error:
            logger.error("no triage taken: {error}", error=error)
            return None

    async def _conduct(self, run: TriageRun, free: asyncio.Semaphore) -> None:
        try:
            await self.conductor.conduct(run)
        except StoreUnavailable as error:
            # The run stays claimed; when its lease ends it is taken again.
            logger.bind(incident=f"INC-{run.incident_id}").error("triage not stored: {error}", error=error)
        except Exception:  # noqa: BLE001 - one triage's fault must not stop the others; its lease brings it back
            logger.bind(incident=f"INC-{run.incident_id}").exception("triage failed")
        finally:
            free.release()
