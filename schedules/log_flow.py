"""Asks Loki every minute whether lines still come: a log shipper that stops says nothing of itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from loguru import logger

from schedules.living_bots import living_bots
from schedules.streams_health import tell
from triage.desk import Desk
from triage.errors import SourceError, SourceNotConfigured, StoreUnavailable
from triage.ports.clock import Clock
from triage.ports.sources import Sources
from triage.ports.store import Store
from triage.signals.condition import Condition
from triage.signals.log_silence import STOPPED, LogFlow, log_silence
from triage.signals.watched_conditions import Debounce, settle, stands

LOOK_SECONDS = 10.0
USUAL_HOURS = 6.0
_WATCH = "logs"
KEPT = timedelta(minutes=30)
"""How long what is usual counts before Loki is asked for it anew: that question reads hours."""


@dataclass(slots=True)
class LogFlowWatch:
    """Compares what Loki took lately with what it takes usually. No answer changes nothing."""

    store: Store
    desk: Desk
    sources: Sources
    clock: Clock
    stored: Callable[[], None]
    steady: Debounce = field(default_factory=Debounce)
    _usual: float = 0.0
    _usual_at: datetime | None = None

    async def run(self) -> None:
        """Look once; nothing where it is turned off or Loki is not configured."""
        if not self.desk.listening.log_silence_minutes:
            return
        now = self.clock.now()
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                look = await self._look(now)
                told = await self.store.read(lambda tx: stands(tx, _WATCH, STOPPED))
        except SourceNotConfigured:
            return
        except (SourceError, StoreUnavailable, TimeoutError) as error:
            logger.debug("whether log lines come is not known: {why}", why=error)
            return
        silent = log_silence(self.desk, look, now, stands=told)
        standing = self.steady.look({STOPPED: silent} if silent is not None else {})
        if standing is not None:
            await self._settle(dict(standing), now)

    async def _look(self, now: datetime) -> LogFlow:
        window = timedelta(minutes=self.desk.listening.log_silence_minutes)
        lines = await self._count(now, window)
        if lines:
            return LogFlow(lines, 0.0, ())
        if self._usual_at is None or now - self._usual_at > KEPT:
            span = timedelta(hours=USUAL_HOURS)
            self._usual = await self._count(now - window, span) * (window / span)
            self._usual_at = now
        return LogFlow(0, self._usual, await living_bots(self.sources.metrics, self.desk))

    async def _count(self, end: datetime, window: timedelta) -> int:
        counts = await self.sources.logs.counts(
            self.desk.listening.log_selector, by="", end=end, window_seconds=window.total_seconds()
        )
        return sum(counts.values())

    async def _settle(self, standing: dict[str, Condition], now: datetime) -> None:
        try:
            signals = await self.store.write(lambda tx: settle(tx, self.desk, _WATCH, standing, now))
        except StoreUnavailable as error:
            logger.error("the flow of log lines was not stored: {why}", why=error)
            return  # told again at the next look
        tell(signals, self.stored)
