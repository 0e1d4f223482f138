"""What a batch of audit events asks of the store."""

import json
from datetime import datetime

import pytest

from bot.store import SqlStore
from bot.store.events import EventTable
from handlers.audit import KeepAudit
from tests.contracts.store_samples import NOW, open_incident
from tests.handlers.listening import audit_event
from triage.desk import Desk
from triage.desk_events import DeskEvent, EventKind, PayloadEntry
from triage.signals.audit import read_audit


async def test_what_was_raised_is_asked_only_beside_open_incidents(
    sqlite_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer counts for their subjects alone, and in a flood each statement makes the writer wait."""
    asked = 0
    really = EventTable.raised

    def raised(events: EventTable, since: datetime) -> set[EventKind]:
        nonlocal asked
        asked += 1
        return really(events, since)

    monkeypatch.setattr(EventTable, "raised", raised)
    keep = KeepAudit(Desk())

    async def stored() -> int:
        event = audit_event(timestamp_ms=int(NOW.timestamp() * 1000))
        read = read_audit(Desk(), "audit", PayloadEntry("1-0", json.dumps(event)), NOW)
        assert isinstance(read, DeskEvent)
        return (await sqlite_store.write(lambda tx: keep(tx, [read], NOW))).new

    assert (await stored(), asked) == (1, 0)
    await sqlite_store.write(open_incident)
    assert (await stored(), asked) == (1, 1)
