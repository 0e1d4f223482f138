"""Keeps the memory from growing for ever: what is old and over goes; the audit trail never does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from loguru import logger

from triage.concurrency import each
from triage.desk import Desk
from triage.memory.believed_clock import BelievedClock
from triage.ports.store import Store, Tx

BATCH = 400
"""Rows in one commit: bounds how long a webhook waits for its own commit."""
BATCHES = 50
PAGES = 256
"""Pages of the database that are given back in one commit: a megabyte."""
PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class RetentionJob:
    """Forgets what is older than ``retention`` of desk.yaml says, while the clock is believed."""

    store: Store
    desk: Desk
    clock: BelievedClock

    async def run(self) -> dict[str, int]:
        """Forget. Returns how many of each; what is too much for one run is left for the next.

        Nothing goes while the clock is not believed.
        """
        now, ages = await self.clock.now(), self.desk.retention
        if now is None:
            logger.warning("nothing old is removed: {why}", why=self.clock.trouble)
            return {}
        sweeps: dict[str, Callable[[Tx], int]] = {
            "incidents": lambda tx: tx.aging.forget_incidents(
                now - timedelta(days=ages.incidents_days), BATCH
            ),
            "signals": lambda tx: tx.aging.forget_signals(now - timedelta(days=ages.signals_days), BATCH),
            "findings": lambda tx: tx.aging.forget_findings(now - timedelta(days=ages.findings_days), BATCH),
            "documents": lambda tx: tx.aging.forget_documents(
                now - timedelta(days=ages.documents_days), BATCH
            ),
            "periods": lambda tx: tx.aging.forget_periods(now - timedelta(days=ages.documents_days), BATCH),
        }
        counts = await each([*map(self._sweeping, sweeps.values()), self._give_back], lambda work: work())
        gone = dict(zip(sweeps, counts, strict=False))
        if any(gone.values()):
            logger.bind(**gone).info("old things forgotten")
        return gone

    async def _give_back(self) -> int:
        """Give the freed space back to the disk, ``PAGES`` in one commit; also what a run that was killed had freed."""
        for _ in range(BATCHES):
            if not await self.store.write(lambda tx: tx.aging.give_back(PAGES)):
                break
            await asyncio.sleep(PAUSE_SECONDS)
        return 0

    def _sweeping(self, sweep: Callable[[Tx], int]) -> Callable[[], Awaitable[int]]:
        return lambda: self._sweep(sweep)

    async def _sweep(self, sweep: Callable[[Tx], int]) -> int:
        total = 0
        for _ in range(BATCHES):
            count = await self.store.write(sweep)
            total += count
            if count < BATCH:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        return total
