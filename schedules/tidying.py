"""Ends what nobody will end: incidents made of events alone, which have no resolve of their own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.actions.outcome_check import waits_for_trading
from triage.concurrency import all_or_each
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
        ids = await self.store.read(lambda tx: [one.id for one in tx.incidents.open()])
        return sum(await all_or_each(ids, self._tidy_these)) if ids else 0

    async def _tidy_these(self, ids: Collection[int]) -> int:
        now = self.clock.now()
        return await self.store.write(lambda tx: self._tidy(tx, ids, now))

    def _tidy(self, tx: Tx, ids: Collection[int], now: datetime) -> int:
        quiet = timedelta(seconds=self.desk.correlation.event_quiet_seconds)
        these = [one for one in tx.incidents.open() if one.id in ids]
        over = [one for one in these if self._over(tx, one, now - quiet, now)]
        for incident in over:
            minutes = int(quiet.total_seconds() // 60)
            change = lifecycle.resolve(incident, now=now, why=f"nothing more for {minutes} min")
            if change is not None:
                tx.incidents.save(change.incident)
                tell_line(tx, change.entry, now)
                tell_card(tx, change.incident, now)
                ask(tx, change.incident, now)
        return len(over)

    def _over(self, tx: Tx, incident: Incident, since: datetime, now: datetime) -> bool:
        firing, _ = tx.incidents.counts(incident.id)
        last = max(incident.changed_at, tx.signals.last_seen(incident.id) or incident.opened_at)
        quiet = firing == 0 and last < since
        return quiet and not degraded_on(tx, incident.id) and not self._stands(tx, incident, now)

    def _stands(self, tx: Tx, incident: Incident, now: datetime) -> bool:
        """Whether degraded mode was left on it, and it is still watched for bots that do not trade again yet."""
        left = [one for one in tx.actions.of_incident(incident.id) if one.kind == "exit_degraded_mode"]
        last = next((one for one in reversed(left) if one.status.ran), None)
        if last is None:
            return False
        seconds = self.desk.triage.return_watch_seconds
        return last.verify_at is not None or waits_for_trading(last, now, seconds=seconds)
