"""Forgets what is older than it has to be kept, a batch at a time so that no alert waits behind it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store import tables
from bot.store.incidents import IS_OPEN
from triage.model import IncidentStatus
from triage.ports.store import MessageKind

_INCIDENTS, _AT_ONCE = 20, 100
"""Incidents that are taken on together, and rows below them that are looked up at once."""
_OF_DOCUMENTS = (MessageKind.DIGEST.value, MessageKind.DOCUMENT.value, MessageKind.FILE.value)


class AgingTable:
    """Implements ``triage.ports.store.Aging``."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def newest(self) -> datetime | None:
        """Return the latest time at which a signal or an incident of the store changed; None where there is none."""
        asked = (
            sa.select(sa.func.max(column, type_=tables.UtcTime))
            for column in (tables.signals.c.last_seen_at, tables.incidents.c.changed_at)
        )
        times = (self._connection.execute(one).scalar() for one in asked)
        return max((at for at in times if at is not None), default=None)

    def forget_signals(self, before: datetime, limit: int) -> int:
        """Remove signals last seen before a time, except those that wait or belong to an open incident."""
        table = tables.signals
        old = (table.c.last_seen_at < before) & (table.c.outcome != "")
        asked = sa.select(table.c.id).where(old, ~_of_open(table.c.incident_id))
        return self._delete(table, asked.limit(limit))

    def forget_findings(self, before: datetime, limit: int) -> int:
        """Remove findings and records of runs that ended before a time, except those of open incidents."""
        runs, findings, evidence = tables.runs, tables.findings, tables.evidence
        over = runs.c.finished_at < before
        # Several: a run that was taken late ended after ones that were asked for after it.
        latest = sa.select(runs.c.id).where(over).order_by(runs.c.finished_at.desc()).limit(_AT_ONCE)
        last = max(self._connection.execute(latest).scalars(), default=None)
        if last is None:
            return 0

        # From what is kept, up to the last run that is over: the runs before it stay for longer, with nothing below them.
        def old(column: sa.Column[int], run: sa.Column[int]) -> sa.Select[Any]:
            asked = sa.select(column).join(runs, runs.c.id == run).where(run <= last, over)
            return asked.where(~_of_open(runs.c.incident_id)).order_by(run).limit(limit)

        ids = list(self._connection.execute(old(evidence.c.run_id, evidence.c.run_id)).scalars())
        if ids:
            self._connection.execute(sa.delete(evidence).where(evidence.c.run_id.in_(ids)))
        return len(ids) + self._delete(findings, old(findings.c.id, findings.c.run_id))

    def forget_documents(self, before: datetime, limit: int) -> int:
        """Remove documents and pictures made before a time, except those that are still owed to Slack."""
        table, messages = tables.documents, tables.messages
        owed = sa.exists().where(
            messages.c.kind.in_(_OF_DOCUMENTS),
            messages.c.ref == sa.cast(table.c.id, sa.Text),
            messages.c.sent_revision < messages.c.wanted_revision,
        )
        return self._delete(table, sa.select(table.c.id).where(table.c.made_at < before, ~owed).limit(limit))

    def forget_incidents(self, before: datetime, limit: int) -> int:
        """Remove resolved incidents that did not change since a time; what hangs below them goes first."""
        table, messages = tables.incidents, tables.messages
        owed = sa.exists().where(
            messages.c.incident_id == table.c.id, messages.c.sent_revision < messages.c.wanted_revision
        )
        over = (table.c.status == IncidentStatus.RESOLVED.value) & (table.c.changed_at < before) & ~owed
        old = sa.select(table.c.id).where(over).order_by(table.c.changed_at).limit(_INCIDENTS)
        ids = list(self._connection.execute(old).scalars())
        if not ids:
            return 0
        gone = self._delete(
            tables.signals,
            sa.select(tables.signals.c.id).where(tables.signals.c.incident_id.in_(ids)).limit(limit),
        )
        gone += self._forget_below(table, ids, limit - gone)
        if gone < limit:
            self._connection.execute(sa.delete(table).where(table.c.id.in_(ids)))
            gone += len(ids)
        return gone

    def _forget_below(self, table: sa.Table, ids: list[int], limit: int) -> int:
        """Remove up to ``limit`` rows that refer to these, the deepest first. Returns how many."""
        gone = 0
        for child, column in _references(table):
            while gone < limit:
                if "id" not in child.c:
                    rows = self._connection.execute(sa.delete(child).where(column.in_(ids)))
                    gone += rows.rowcount
                    break
                asked = sa.select(child.c.id).where(column.in_(ids)).limit(min(_AT_ONCE, limit - gone))
                found = list(self._connection.execute(asked).scalars())
                if not found:
                    break
                below = self._forget_below(child, found, limit - gone)
                gone += below
                if gone < limit:
                    self._connection.execute(sa.delete(child).where(child.c.id.in_(found)))
                    gone += len(found)
        return gone

    def give_back(self, pages: int) -> int:
        """Give the disk back what was freed. PostgreSQL does so by itself."""
        if self._connection.dialect.name != "sqlite":
            return 0
        driver: Any = self._connection.connection.driver_connection
        (free,) = driver.execute("PRAGMA freelist_count").fetchone()
        for _ in range(min(pages, free)):
            driver.execute(
                "PRAGMA incremental_vacuum(1)"
            )  # a page a step, and the driver takes one step only
        return max(0, int(free) - pages)

    def forget_periods(self, before: datetime, limit: int) -> int:
        """Remove claims of periods and events made before a time."""
        table = tables.periods
        old = sa.select(table.c.name, table.c.period).where(table.c.at < before).limit(limit)
        keys = [tuple(row) for row in self._connection.execute(old)]
        if keys:
            named = sa.tuple_(table.c.name, table.c.period).in_(keys)
            self._connection.execute(sa.delete(table).where(named))
        return len(keys)

    def _delete(self, table: sa.Table, old: sa.Select[Any]) -> int:
        ids = list(self._connection.execute(old).scalars())
        if ids:
            self._connection.execute(sa.delete(table).where(table.c.id.in_(ids)))
        return len(ids)


def _of_open(incident_id: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """Whether an incident is open, asked of each by its id: a list of the open ones is made from an index of all."""
    return sa.exists().where(tables.incidents.c.id == incident_id, IS_OPEN)


def _references(table: sa.Table) -> list[tuple[sa.Table, sa.Column[Any]]]:
    """Return the tables that refer to one, with the column that does."""
    return [
        (child, key.parent)
        for child in reversed(table.metadata.sorted_tables)
        for key in child.foreign_keys
        if key.column.table is table
    ]
