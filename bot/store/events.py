"""What the desk said: each event once by its key, its kind counted by the minute."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.store import event_tables, tables
from bot.store.text import clean
from bot.store.upsert import insert
from triage.events.model import DeskEvent, Gravity, Kind, Parked
from triage.model import Source, Subject, SubjectKind, TimelineKind

_e = event_tables.events
_c = event_tables.event_counts
_p = event_tables.parked
_t = tables.timeline
_MINUTE = timedelta(minutes=1)
_AT_ONCE = 500
"""Names in one statement: SQLite takes 32,766, and a plan for that many costs more than it saves."""
_CELL = tuple(column.name for column in _c.primary_key.columns)
_COLUMNS = tuple(column.name for column in _e.columns if column.name not in {"id", "raised"})
_INSERT = (
    f"INSERT INTO events ({', '.join(_COLUMNS)}) VALUES ({', '.join(['?'] * len(_COLUMNS))}) "  # noqa: S608 - our own columns
    "ON CONFLICT (key) DO NOTHING"
)


class EventTable:
    """Implements ``triage.ports.events.Events``."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, events: Sequence[DeskEvent], *, now: datetime) -> set[str]:
        """Store events and count their kinds by the minute. Returns the keys of those that were new."""
        by_key = {event.key: event for event in events}
        if not by_key:
            return set()
        rows = [_row(event, now) for event in by_key.values()]
        if self._connection.dialect.name == "sqlite":
            new = self._insert_alone(rows)
        else:
            statement = insert(self._connection, _e).on_conflict_do_nothing(index_elements=["key"])
            new = set(self._connection.execute(statement.returning(_e.c.key), rows).scalars())
        self._count(by_key[key] for key in new)
        return new

    def _insert_alone(self, rows: list[dict[str, Any]]) -> set[str]:
        """Insert where nobody else writes meanwhile: the driver's own executemany is several times as fast."""
        last = self._connection.execute(sa.select(sa.func.max(_e.c.id))).scalar() or 0
        result = self._connection.exec_driver_sql(_INSERT, [_bound(row) for row in rows])
        if result.rowcount == len(rows):
            return {row["key"] for row in rows}
        return set(self._connection.execute(sa.select(_e.c.key).where(_e.c.id > last)).scalars())

    def _count(self, events: Iterable[DeskEvent]) -> None:
        cells = Counter(
            (
                event.source.value,
                event.subject.kind.value,
                event.subject.name,
                event.category,
                event.reason,
                minute_of(event.at),
            )
            for event in events
        )
        statement = insert(self._connection, _c)
        statement = statement.on_conflict_do_update(
            index_elements=list(_CELL), set_={"count": _c.c.count + statement.excluded.count}
        )
        # In one order for every writer: rows locked in different orders lock each other out.
        rows = [{**dict(zip(_CELL, cell, strict=True)), "count": n} for cell, n in sorted(cells.items())]
        if rows:
            self._connection.execute(statement, rows)

    def raised(self, since: datetime) -> set[Kind]:
        """Return the kinds of which a signal was made after ``since``."""
        query = (
            sa.select(_e.c.source, _e.c.subject_kind, _e.c.subject_name, _e.c.category, _e.c.reason)
            .where(_e.c.raised, _e.c.recorded_at > since)
            .distinct()
        )
        return {_kind(row) for row in self._connection.execute(query).mappings()}

    def mark_raised(self, keys: Collection[str]) -> None:
        """Remember that signals were made of these events."""
        for some in _portions(keys):
            self._connection.execute(sa.update(_e).where(_e.c.key.in_(some)).values(raised=True))

    def counts(self, kinds: Collection[Kind], *, start: datetime, end: datetime) -> dict[Kind, int]:
        """Return how many events of each kind happened from ``start`` to ``end`` (whole minutes, end not in it)."""
        found: dict[Kind, int] = {}
        for kind in kinds:
            same = [_c.c[name] == value for name, value in _names(kind).items()]
            query = sa.select(sa.func.coalesce(sa.func.sum(_c.c.count), 0)).where(
                *same, _c.c.minute >= minute_of(start), _c.c.minute < minute_of(end)
            )
            found[kind] = int(self._connection.execute(query).scalar_one())
        return found

    def by_reason(self, source: Source, *, start: datetime, end: datetime) -> dict[str, int]:
        """Return how many events of a source there were by reason, in whole minutes as ``counts``."""
        query = (
            sa.select(_c.c.reason, sa.func.sum(_c.c.count).label("n"))
            .where(_c.c.source == source.value, _c.c.minute >= minute_of(start), _c.c.minute < minute_of(end))
            .group_by(_c.c.reason)
        )
        return {row.reason: int(row.n) for row in self._connection.execute(query)}

    def counted_since(self) -> datetime | None:
        """Return the oldest minute that is counted; None before the first event."""
        minute = self._connection.execute(sa.select(sa.func.min(_c.c.minute))).scalar()
        return None if minute is None else tables.EPOCH + minute * _MINUTE

    def of(
        self,
        subjects: Collection[Subject],
        *,
        since: datetime,
        until: datetime,
        limit: int = 200,
        changes_only: bool = False,
        source: Source | None = None,
    ) -> list[DeskEvent]:
        """Return the newest events of some subjects (none named: of all), oldest first."""
        query = sa.select(_e).where(_e.c.at >= since, _e.c.at <= until)
        if subjects:
            about = [
                (_e.c.subject_name == clean(each.name)) & (_e.c.subject_kind == each.kind.value)
                for each in subjects
            ]
            query = query.where(sa.or_(*about))
        if source is not None:
            query = query.where(_e.c.source == source.value)
        if changes_only:
            query = query.where(_e.c.change)
        rows = self._connection.execute(
            query.order_by(_e.c.at.desc(), _e.c.id.desc()).limit(limit)
        ).mappings()
        return [_event(row) for row in reversed(list(rows))]

    def related(self, events: Collection[DeskEvent], limit: int = 100) -> list[DeskEvent]:
        """Return what the events point to by their correlation ids, and what points to them."""
        here = {event.key for event in events}
        causes = {f"{Source.AUDIT}/{event.correlation_id}" for event in events if event.correlation_id}
        ids = {event.key.partition("/")[2] for event in events if event.source is Source.AUDIT}
        ids |= {event.correlation_id for event in events if event.correlation_id}
        found: dict[str, DeskEvent] = {}
        # The condition of the partial index has to be said, or the database does not see that it fits.
        linked = _e.c.correlation_id != ""
        for some in _portions(sorted(causes - here)):
            found.update(self._keyed(_e.c.key.in_(some), limit))
        for some in _portions(sorted(ids)):
            found.update(self._keyed(linked & _e.c.correlation_id.in_(some), limit))
        for key in here:
            found.pop(key, None)
        return sorted(found.values(), key=lambda event: event.at)[-limit:]

    def _keyed(self, which: sa.ColumnElement[bool], limit: int) -> dict[str, DeskEvent]:
        query = sa.select(_e).where(which).order_by(_e.c.id.desc()).limit(limit)
        return {row["key"]: _event(row) for row in self._connection.execute(query).mappings()}

    def on_timeline(self, incident_id: int) -> int:
        """Return how many events stand on an incident's timeline."""
        query = sa.select(sa.func.count()).where(
            _t.c.incident_id == incident_id,
            _t.c.kind.in_([TimelineKind.EVENT.value, TimelineKind.CHANGE.value]),
        )
        return int(self._connection.execute(query).scalar_one())

    def park(self, parked: Sequence[Parked], *, now: datetime) -> int:
        """Keep entries aside that do not validate. Returns how many were new."""
        rows = [
            {
                "key": clean(each.key),
                "stream": clean(each.stream),
                "entry_id": clean(each.entry_id),
                "parked_at": now,
                "reason": clean(each.reason),
                "payload": clean(each.payload),
            }
            for each in {one.key: one for one in parked}.values()
        ]
        if not rows:
            return 0
        statement = insert(self._connection, _p).on_conflict_do_nothing(index_elements=["key"])
        return len(self._connection.execute(statement.returning(_p.c.id), rows).scalars().all())

    def sizes(self) -> Mapping[str, int]:
        """Return how many ``events`` and ``parked`` entries are kept."""
        return {
            name: int(self._connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
            for name, table in (("events", _e), ("parked", _p))
        }

    def forget(self, *, before: datetime, keep: int, limit: int = 5000) -> int:
        """Drop up to ``limit`` events stored before a time or beyond the newest ``keep``; returns how many."""
        gone = 0
        for table, stored_at in ((_e, _e.c.recorded_at), (_p, _p.c.parked_at)):
            oldest = sa.select(table.c.id, stored_at.label("at")).order_by(table.c.id).limit(limit)
            newest = self._connection.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0
            last = max(
                (
                    row.id
                    for row in self._connection.execute(oldest)
                    if row.at < before or row.id <= newest - keep
                ),
                default=None,
            )
            if last is not None:
                gone += self._connection.execute(sa.delete(table).where(table.c.id <= last)).rowcount
        self._connection.execute(sa.delete(_c).where(_c.c.minute < minute_of(before)))
        return gone


def minute_of(at: datetime) -> int:
    """Return the whole minutes since 1970 UTC."""
    return (at - tables.EPOCH) // _MINUTE


def _portions(keys: Collection[str]) -> Iterable[list[str]]:
    whole = list(keys)
    for start in range(0, len(whole), _AT_ONCE):
        yield whole[start : start + _AT_ONCE]


def _names(kind: Kind) -> dict[str, str]:
    return {
        "source": kind.source.value,
        "subject_kind": kind.subject.kind.value,
        "subject_name": kind.subject.name,
        "category": kind.category,
        "reason": kind.reason,
    }


def _row(event: DeskEvent, now: datetime) -> dict[str, Any]:
    return {
        "key": event.key,
        "source": event.source.value,
        "at": event.at,
        "recorded_at": now,
        "subject_kind": event.subject.kind.value,
        "subject_name": event.subject.name,
        "gravity": event.gravity.value,
        "category": event.category,
        "reason": event.reason,
        "text": event.text,
        "correlation_id": event.correlation_id,
        "change": event.change,
        "data": json.dumps(event.data, separators=(",", ":")) if event.data else "",
    }


def _bound(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return a row as the driver takes it, in the order of ``_COLUMNS`` (which is that of ``_row``)."""
    row["at"] = (row["at"] - tables.EPOCH) // tables.MICROSECOND
    row["recorded_at"] = (row["recorded_at"] - tables.EPOCH) // tables.MICROSECOND
    return tuple(row[name] for name in _COLUMNS)


def _kind(row: Mapping[Any, Any]) -> Kind:
    subject = Subject(SubjectKind(row["subject_kind"]), row["subject_name"])
    return Kind(Source(row["source"]), subject, row["category"], row["reason"])


def _event(row: Mapping[Any, Any]) -> DeskEvent:
    return DeskEvent(
        key=row["key"],
        source=Source(row["source"]),
        at=row["at"],
        subject=Subject(SubjectKind(row["subject_kind"]), row["subject_name"]),
        gravity=Gravity(row["gravity"]),
        category=row["category"],
        text=row["text"],
        reason=row["reason"],
        correlation_id=row["correlation_id"],
        change=row["change"],
        data=json.loads(row["data"]) if row["data"] else {},
    )
