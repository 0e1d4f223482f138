"""Ends what nobody will end: incidents made of events alone, which have no resolve of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.desk import Desk
from triage.incidents import lifecycle
from triage.incidents.feedback import ask
from triage.incidents.notifications import tell_card, tell_line
from triage.memory.degraded_mode import degraded_on
from triage.model import Incident
from triage.ports.clock import Clock
from triage.ports.store import Store, Tx


@dataclass(slots=True)
class TidyingJob:
    """Resolves quiet incidents that have nothing firing."""

    store: Store
    desk: Desk
    clock: Clock

    async def run(self) -> int:
        """Resolve what has been quiet long enough. Returns how many."""
        now = self.clock.now()
        return await self.store.write(lambda tx: self._tidy(tx, now))

    def _tidy(self, tx: Tx, now: datetime) -> int:
        quiet = timedelta(seconds=self.desk.correlation.event_quiet_seconds)
        over = [incident for incident in tx.incidents.open() if self._over(tx, incident, now - quiet)]
        for incident in over:
            minutes = int(quiet.total_seconds() // 60)
            change = lifecycle.resolve(incident, now=now, why=f"nothing more for {minutes} min")
            if change is not None:
                tx.incidents.save(change.incident)
                tell_line(tx, change.entry, now)
                tell_card(tx, change.incident, now)
                ask(tx, change.incident, now)
        return len(over)

    @staticmethod
    def _over(tx: Tx, incident: Incident, since: datetime) -> bool:
        firing, _ = tx.incidents.counts(incident.id)
        last = max(incident.changed_at, tx.signals.last_seen(incident.id) or incident.opened_at)
        return firing == 0 and last < since and not degraded_on(tx, incident.id)
