"""The loop that runs queued triages side by side, the gravest incidents first."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from loguru import logger

from bot.liveness import IDLE_SECONDS, Liveness
from triage.concurrency import FAULTS, is_stop
from triage.errors import CommitUnknown, StoreUnavailable
from triage.model import TriageRun
from triage.ports.bell import Bell
from triage.runs.runner import TriageRunner

AWAY_SECONDS = 1.0
"""How often a store that is away is asked again."""
TRIAGES_AT_ONCE = 4
TRIAGES_KEPT = 4
"""Places beyond these that only a Sev-1 may take."""


@dataclass(slots=True)
class TriageLoop:
    """Runs queued triages side by side, the gravest incidents first.

    Some places are kept for Sev-1: a summary of one never waits behind warnings whose source hangs.
    """

    runner: TriageRunner
    waiting: Bell
    liveness: Liveness
    _runs: set[int] = field(default_factory=set)
    _ended: Bell = field(default_factory=Bell)
    _holds_unknown: bool = False
    """Whether the store may have runs as ours that are not under way: it did not say so, or went away in their middle."""
    _idle: float = IDLE_SECONDS
    """How long to wait for something to do: less while the store is away."""

    async def run(self) -> None:
        """Run triages until cancelled; the ones under way end with it, and are taken again later."""
        self._runs.clear()
        async with asyncio.TaskGroup() as group:
            while True:
                self.liveness.beat("triage")
                if len(self._runs) >= TRIAGES_AT_ONCE + TRIAGES_KEPT:
                    await self._ended.wait(IDLE_SECONDS)
                    continue
                run = await self._take(urgent=len(self._runs) >= TRIAGES_AT_ONCE)
                if run is None:
                    await self._woken()
                    continue
                self._runs.add(run.id)
                group.create_task(self._execute(run))

    async def _woken(self) -> None:
        """Wait until something is queued or, where every common place was taken, one of them is free."""
        if len(self._runs) < TRIAGES_AT_ONCE:
            await self.waiting.wait(self._idle)
            return
        bells = [asyncio.ensure_future(bell.wait(self._idle)) for bell in (self.waiting, self._ended)]
        try:
            await asyncio.wait(bells, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in bells:
                each.cancel()

    async def _take(self, *, urgent: bool) -> TriageRun | None:
        self._idle = AWAY_SECONDS
        give_back, self._holds_unknown = (
            self._holds_unknown,
            False,
        )  # another run may end while these are given back
        try:
            if give_back:  # then it is taken again at once
                await self.runner.give_back(but=frozenset(self._runs))
                give_back = False
            run = await self.runner.take(urgent=urgent)
        except StoreUnavailable as error:
            self._holds_unknown |= give_back or isinstance(error, CommitUnknown)
            logger.debug("no triage taken: {error}", error=error)
            return None
        except FAULTS as error:  # it must not end the triages under way
            if is_stop(error):
                raise
            logger.opt(exception=error).error("no triage taken")
            self.liveness.failed("triage", error)
            self._idle = IDLE_SECONDS
            return None
        self._idle = IDLE_SECONDS
        return run

    async def _execute(self, run: TriageRun) -> None:
        try:
            await self.runner.execute(run)
        except StoreUnavailable as error:
            logger.bind(incident=f"INC-{run.incident_id}").error("triage not stored: {error}", error=error)
            if not error.damaged:  # else it stays claimed, and is tried again when its lease ends
                await asyncio.sleep(AWAY_SECONDS)
                self._holds_unknown = True
                self.waiting.ring()
        except FAULTS as error:
            if is_stop(error):
                raise
            # One triage's fault must not stop the others; that something it waited for was cancelled is one too.
            logger.bind(incident=f"INC-{run.incident_id}").exception("triage failed")
            self.liveness.failed("triage", error)
            await self._failed(run, error)
        finally:
            self._runs.discard(run.id)
            self._ended.ring()

    async def _failed(self, run: TriageRun, error: BaseException) -> None:
        """End the run as failed, so that no card goes on saying that it runs."""
        try:
            await self.runner.failed(run, error)
        except StoreUnavailable as away:
            logger.bind(incident=f"INC-{run.incident_id}").error("triage not stored: {error}", error=away)
        except FAULTS as second:  # its lease ends, and it is tried again then
            if is_stop(second):
                raise
            logger.bind(incident=f"INC-{run.incident_id}").exception("the failed triage could not be ended")
            self.liveness.failed("triage", second)
