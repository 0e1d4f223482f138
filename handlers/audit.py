"""The audit stream: every event is kept, what is grave or unusual becomes a signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from handlers.streams import StoredBatch
from triage.desk import Desk
from triage.desk_events import DeskEvent, EventKind
from triage.incidents.timeline import tell_events
from triage.model import Incident
from triage.ports.store import Tx
from triage.signals.audit_policy import audit_signals, warned
from triage.signals.rates import Rates


@dataclass(slots=True)
class KeepAudit:
    """Stores audit events, and the signals and timeline entries that follow from them."""

    desk: Desk
    rates: Rates = field(init=False)

    def __post_init__(self) -> None:
        self.rates = Rates(self.desk)

    def __call__(self, tx: Tx, events: Sequence[DeskEvent], now: datetime) -> StoredBatch:
        """Store a batch inside its transaction."""
        new = tx.events.add(events, now=now)
        if not new:
            return StoredBatch(0, 0)
        fresh = events
        if len(new) < len(events):
            fresh = list({event.key: event for event in events if event.key in new}.values())
        incidents = tx.incidents.open()
        made = audit_signals(
            self.desk,
            fresh,
            raised=self._raised(tx, incidents, now),
            rates=self.rates.of(tx, warned(self.desk, fresh), now),
            now=now,
        )
        keys = {event.key for event, _ in made}
        tx.signals.add([signal for _, signal in made])
        tx.events.mark_raised(keys)
        tell_events(tx, self.desk, fresh, incidents=incidents, now=now, raised=keys)
        return StoredBatch(len(fresh), len(made))

    def _raised(self, tx: Tx, incidents: Sequence[Incident], now: datetime) -> set[EventKind]:
        """What made a signal lately and is part of an open incident: another signal would tell nothing new."""
        open_subjects = {subject for incident in incidents for subject in incident.subjects}
        # Not asked in vain: in a flood the writer waits for its turn around each answer.
        if not open_subjects:
            return set()
        since = now - timedelta(minutes=self.desk.listening.repeat_minutes)
        return {kind for kind in tx.events.raised(since) if kind.subject in open_subjects}
