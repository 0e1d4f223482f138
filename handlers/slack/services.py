"""What the handlers of Slack need, put together by the composition root."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from triage.model import Incident, Json, TriageRun
from triage.ports.clock import Clock
from triage.ports.sources import Alerts
from triage.ports.store import Store
from triage.roles import Roles


class InFlight:
    """Counts the handlers under way: bolt runs them in tasks of its own and waits for none at shutdown."""

    def __init__(self) -> None:
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Count a handler as under way inside the ``with`` block."""
        self._count += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._idle.set()

    async def drained(self, seconds: float) -> bool:
        """Wait until none is under way; False when that took too long."""
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True


Report = Callable[[Incident, TriageRun | None, datetime], Json]
"""Makes the modal of a triage's whole report."""


@dataclass(frozen=True, slots=True)
class Services:
    """The store, the clock, the roles, Alertmanager; ``changed`` wakes the sender and the triage loop."""

    store: Store
    clock: Clock
    roles: Roles
    alerts: Alerts
    changed: Callable[[], None]
    report: Report
    in_flight: InFlight = field(default_factory=InFlight)
