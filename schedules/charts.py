"""The chart of an incident that is over: drawn once, beside the service, and put into its thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from loguru import logger

from triage.concurrency import FAULTS, is_stop
from triage.drill_alert import ALERTNAME as DRILL
from triage.errors import StoreUnavailable
from triage.incidents.notifications import tell_line
from triage.model import Incident, TimelineEntry, TimelineKind
from triage.ports.clock import Clock
from triage.ports.store import Tx
from triage.reports.postmortem.charting import Chart, Charting, chart_key, keep_chart
from triage.untrusted_text import fault_words

EVERY_SECONDS = 15.0
SETTLED = timedelta(seconds=30)
"""What resolves for a moment comes back; and the first scrape after the end belongs into the picture."""
LATE = timedelta(hours=6)
"""An incident that was over longer ago than this, when the service came back, gets its chart by ``postmortem``."""
TRIES = 3


@dataclass(slots=True)
class ChartJob:
    """Draws one chart at a time. ``wake_sender`` wakes the sender."""

    charting: Charting
    clock: Clock
    wake_sender: Callable[[], None]
    _tries: dict[str, int] = field(default_factory=dict)

    async def run(self) -> bool:
        """Draw the chart of the incident that waits longest. Returns whether one was put into a thread."""
        incident = await self.charting.store.read(self._next)
        if incident is None:
            return False
        key = chart_key(incident)
        self._tries[key] = self._tries.get(key, 0) + 1
        chart = await self._drawn(incident)
        if chart.picture is None and self._tries[key] < TRIES:
            logger.bind(incident=incident.number).warning("no chart yet: {why}", why=chart.missing[-1])
            return False
        self._tries.pop(key, None)
        if kept := await self.charting.store.write(lambda tx: self._keep(tx, incident, chart)):
            self.wake_sender()
        return kept

    async def _drawn(self, incident: Incident) -> Chart:
        """Return the chart. A fault of ours leaves it out and says so, as anything else: others wait behind it."""
        try:
            return await self.charting.draw(incident.id, self.clock.now())
        except StoreUnavailable:
            raise
        except FAULTS as error:
            if is_stop(error):
                raise
            logger.bind(incident=incident.number).opt(exception=error).error("the chart failed")
            return Chart(None, (fault_words(error),))

    def _next(self, tx: Tx) -> Incident | None:
        now = self.clock.now()
        for incident in tx.incidents.recent(now - LATE):
            over = incident.resolved_at
            if over is None or incident.is_open or incident.name == DRILL:
                continue
            if SETTLED <= now - over <= LATE and not tx.notes.get(chart_key(incident)):
                return incident
        return None

    def _keep(self, tx: Tx, incident: Incident, chart: Chart) -> bool:
        now = self.clock.now()
        if not keep_chart(tx, incident, chart, now):
            return False
        if chart.picture is None:
            tell_line(tx, _not_drawn(incident, chart, self.clock), now)
        return True


def _not_drawn(incident: Incident, chart: Chart, clock: Clock) -> TimelineEntry:
    return TimelineEntry(
        incident_id=incident.id,
        at=clock.now(),
        recorded_at=clock.now(),
        kind=TimelineKind.NOTE,
        text=f"no chart of it: {chart.missing[-1]}",
        source="chart",
        key=chart_key(incident),
    )
