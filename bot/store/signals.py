"""Signals: stored once by their key; the ones without an outcome are the inbox of correlation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store import tables
from bot.store.text import clean
from bot.store.upsert import insert
from triage.model import Severity, Signal, SignalStatus, Source, Subject, SubjectKind
from triage.ports.store import StoredSignal

_t = tables.signals


class SignalTable:
    """Implements ``triage.ports.store.Signals``."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, signals: Sequence[Signal]) -> int:
        """Store the signals; a repeat only moves ``last seen``. Returns how many were new."""
        rows = {signal.key: _row(signal) for signal in signals}  # one statement may not name a key twice
        if not rows:
            return 0
        statement = insert(self._connection, _t)
        statement = statement.on_conflict_do_update(
            index_elements=["key"],
            set_={"last_seen_at": statement.excluded.last_seen_at, "seen": _t.c.seen + 1},
        )
        seen = self._connection.execute(statement.returning(_t.c.seen), list(rows.values())).scalars()
        return sum(1 for count in seen if count == 1)

    def inbox(self, limit: int) -> list[StoredSignal]:
        """Return the oldest signals that are not sorted yet."""
        query = sa.select(_t).where(_t.c.outcome == "").order_by(_t.c.id).limit(limit)
        return [_stored(row) for row in self._connection.execute(query).mappings()]

    def sort(self, outcomes: Sequence[tuple[int, int | None, str]]) -> None:
        """Take signals (signal id, incident id or None, why) out of the inbox."""
        if outcomes:
            statement = (
                sa.update(_t)
                .where(_t.c.id == sa.bindparam("signal"))
                .values(incident_id=sa.bindparam("incident"), outcome=sa.bindparam("why"))
            )
            rows = [{"signal": one, "incident": incident, "why": why} for one, incident, why in outcomes]
            self._connection.execute(statement, rows)

    def ended(self, keys: Iterable[tuple[Source, str]]) -> set[tuple[Source, str]]:
        """Return those of these episodes whose resolve is stored."""
        wanted = {
            clean(f"{source}/{episode}/{SignalStatus.RESOLVED}"): (source, episode)
            for source, episode in keys
        }
        found = self._connection.execute(sa.select(_t.c.key).where(_t.c.key.in_(wanted))).scalars()
        return {wanted[key] for key in found}

    def last_seen(self, incident_id: int) -> datetime | None:
        """Return when a signal of the incident, or a repeat of one, came last."""
        last = sa.func.max(_t.c.last_seen_at, type_=tables.UtcTime)
        when: datetime | None = self._connection.execute(
            sa.select(last).where(_t.c.incident_id == incident_id)
        ).scalar()
        return when

    def of(self, incident_id: int) -> list[StoredSignal]:
        """Return the signals of an incident, oldest first."""
        query = sa.select(_t).where(_t.c.incident_id == incident_id).order_by(_t.c.id)
        return [_stored(row) for row in self._connection.execute(query).mappings()]


def _row(signal: Signal) -> dict[str, Any]:
    return {
        "key": clean(signal.key),
        "source": signal.source.value,
        "episode": clean(signal.episode),
        "status": signal.status.value,
        "name": clean(signal.name),
        "subject_kind": signal.subject.kind.value,
        "subject_name": clean(signal.subject.name),
        "severity": signal.severity.value,
        "starts_at": signal.starts_at,
        "ends_at": signal.ends_at,
        "received_at": signal.received_at,
        "last_seen_at": signal.received_at,
        "labels": dict(signal.labels),
        "annotations": dict(signal.annotations),
        "generator_url": clean(signal.generator_url),
        "fingerprint": clean(signal.fingerprint),
        "data": dict(signal.data),
    }


def _stored(row: Mapping[Any, Any]) -> StoredSignal:
    return StoredSignal(
        id=row["id"],
        signal=Signal(
            source=Source(row["source"]),
            episode=row["episode"],
            status=SignalStatus(row["status"]),
            name=row["name"],
            subject=Subject(SubjectKind(row["subject_kind"]), row["subject_name"]),
            severity=Severity(row["severity"]),
            starts_at=row["starts_at"],
            received_at=row["received_at"],
            ends_at=row["ends_at"],
            labels=row["labels"],
            annotations=row["annotations"],
            generator_url=row["generator_url"],
            fingerprint=row["fingerprint"],
            data=row["data"],
        ),
    )
