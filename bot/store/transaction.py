"""One transaction: the repositories over one connection."""

from __future__ import annotations

import zlib
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa

from bot.store.actions import ActionTable
from bot.store.aging import AgingTable
from bot.store.answers import AnswerTable
from bot.store.audit import AuditTable
from bot.store.events import EventTable
from bot.store.health import Unreadable
from bot.store.incident_cache import IncidentCache
from bot.store.incidents import IncidentTable
from bot.store.notes import NoteTable
from bot.store.outbox import OutboxTable
from bot.store.runs import RunTable
from bot.store.signals import SignalTable
from bot.store.timeline import TimelineTable


class Transaction:
    """Implements ``triage.ports.store.Tx``. Repositories are made when they are first asked for."""

    def __init__(
        self,
        connection: sa.Connection,
        *,
        writing: bool,
        unreadable: Unreadable | None = None,
        audit_key: bytes = b"",
        cache: IncidentCache | None = None,
    ) -> None:
        self.connection = connection
        self.writing = writing
        self.unreadable = unreadable or Unreadable()
        self._audit_key = audit_key
        self._cache = cache

    @cached_property
    def signals(self) -> SignalTable:
        """Signals and the inbox."""
        return SignalTable(self.connection, self.unreadable)

    @cached_property
    def incidents(self) -> IncidentTable:
        """Incidents and episodes."""
        return IncidentTable(
            self.connection,
            writing=self.writing,
            unreadable=self.unreadable,
            cache=self._cache,
        )

    @cached_property
    def timeline(self) -> TimelineTable:
        """Timelines."""
        return TimelineTable(self.connection, self.unreadable)

    @cached_property
    def runs(self) -> RunTable:
        """Triage runs."""
        return RunTable(self.connection, self.unreadable)

    @cached_property
    def outbox(self) -> OutboxTable:
        """Messages owed to Slack."""
        return OutboxTable(self.connection, self.unreadable)

    @cached_property
    def audit(self) -> AuditTable:
        """The audit trail."""
        return AuditTable(self.connection, exclusive=self.exclusive, key=self._audit_key)

    @cached_property
    def notes(self) -> NoteTable:
        """Cursors, periods, documents."""
        return NoteTable(self.connection, self.unreadable)

    @cached_property
    def actions(self) -> ActionTable:
        """Actions, their steps and locks."""
        return ActionTable(
            self.connection, writing=self.writing, exclusive=self.exclusive, unreadable=self.unreadable
        )

    @cached_property
    def events(self) -> EventTable:
        """What the desk said."""
        return EventTable(self.connection, self.unreadable)

    @cached_property
    def answers(self) -> AnswerTable:
        """What people said the cause was."""
        return AnswerTable(self.connection, self.unreadable)

    @cached_property
    def aging(self) -> AgingTable:
        """Forgets what is old."""
        return AgingTable(self.connection)

    def exclusive(self, name: str) -> None:
        """Hold a lock of that name until the commit; SQLite's one writer holds every lock already."""
        if self.connection.dialect.name == "postgresql":
            self.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(zlib.crc32(name.encode()))))

    def server_time(self) -> datetime | None:
        """Return what time it is by PostgreSQL's clock; None on SQLite, which has this machine's."""
        if self.connection.dialect.name != "postgresql":
            return None
        now: datetime = self.connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return now
