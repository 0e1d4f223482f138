"""Forgets what is older than it has to be kept, a batch at a time so that no alert waits behind it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.store import tables
from triage.model import IncidentStatus
from triage.ports.store import MessageKind

_OPEN = sa.select(tables.incidents.c.id).where(tables.incidents.c.status != IncidentStatus.RESOLVED.value)
_OF_DOCUMENTS = (MessageKind.DIGEST.value, MessageKind.DOCUMENT.value, MessageKind.FILE.value)


class AgingTable:
    """Implements ``triage.ports.store.Aging``."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def forget_signals(self, before: datetime, limit: int) -> int:
        """Remove signals last seen before a time, except those that wait or belong to an open incident."""
        table = tables.signals
        old = (table.c.last_seen_at < before) & (table.c.outcome != "")
        kept = table.c.incident_id.is_not(None) & table.c.incident_id.in_(_OPEN)
        return self._delete(table, sa.select(table.c.id).where(old, ~kept).limit(limit))

    def forget_findings(self, before: datetime, limit: int) -> int:
        """Remove the findings of runs that ended before a time, except those of open incidents."""
        runs = tables.runs
        over = sa.select(runs.c.id).where(runs.c.finished_at < before, runs.c.incident_id.not_in(_OPEN))
        old = sa.select(tables.findings.c.id).where(tables.findings.c.run_id.in_(over)).limit(limit)
        return self._delete(tables.findings, old)

    def forget_documents(self, before: datetime, limit: int) -> int:
        """Remove documents and pictures made before a time, except those that are still owed to Slack."""
        table, messages = tables.documents, tables.messages
        owed = sa.exists().where(
            messages.c.kind.in_(_OF_DOCUMENTS),
            messages.c.ref == sa.cast(table.c.id, sa.Text),
            messages.c.sent_revision < messages.c.wanted_revision,
        )
        return self._delete(table, sa.select(table.c.id).where(table.c.made_at < before, ~owed).limit(limit))

    def forget_periods(self, before: datetime, limit: int) -> int:
        """Remove claims of periods and events made before a time."""
        table = tables.periods
        old = sa.select(table.c.name, table.c.period).where(table.c.at < before).limit(limit)
        keys = [tuple(row) for row in self._connection.execute(old)]
        if keys:
            named = sa.tuple_(table.c.name, table.c.period).in_(keys)
            self._connection.execute(sa.delete(table).where(named))
        return len(keys)

    def _delete(self, table: sa.Table, old: sa.Select[tuple[int]]) -> int:
        ids = list(self._connection.execute(old).scalars())
        if ids:
            self._connection.execute(sa.delete(table).where(table.c.id.in_(ids)))
        return len(ids)
