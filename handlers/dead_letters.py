"""Dead letters: kept with their reason; their volume is a signal while it is not acceptable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from handlers.streams import StoredBatch
from triage.desk import Desk
from triage.desk_events import DeskEvent
from triage.incidents.timeline import tell_events
from triage.ports.store import Tx
from triage.signals.dead_letter_volume import settle_dead_letters


@dataclass(frozen=True, slots=True)
class KeepDeadLetters:
    """Stores dead letters and judges their volume."""

    desk: Desk

    def __call__(self, tx: Tx, events: Sequence[DeskEvent], now: datetime) -> StoredBatch:
        """Store a batch inside its transaction."""
        new = tx.events.add(events, now=now)
        fresh = [event for event in events if event.key in new]
        if not fresh:
            return StoredBatch(0, 0)
        tell_events(tx, self.desk, fresh, incidents=tx.incidents.open(), now=now)
        return StoredBatch(len(fresh), len(settle_dead_letters(tx, self.desk, now)))
