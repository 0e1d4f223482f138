"""What the desk said: each event once by its key, its kind counted by the minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar

import sqlalchemy as sa

from bot.store import event_tables, tables
from bot.store.event_rows import (
    COLUMNS,
    MINUTE,
    event_of,
    event_values,
    kind_of,
    kind_values,
    microseconds,
    minute_of,
)
from bot.store.health import Unreadable
from bot.store.prepared import Prepared
from bot.store.reading import read_all
from bot.store.text import clean
from bot.store.upsert import insert, insert_for
from bot.store.value_lists import padded
from triage.desk_events import FAILED_ON, DeskEvent, EventKind, Parked
from triage.model import Source, Subject, SubjectKind, TimelineKind

T = TypeVar("T")
_e = event_tables.events
_c = event_tables.event_counts
_p = event_tables.parked
_t = tables.timeline
_RAISED, _CHANGE = sa.text("events.raised"), sa.text("events.change")
"""As the partial indexes have it: SQLAlchemy's own ``raised = 1`` would be a scan of the whole table."""
_LATELY = 20_000
"""The newest events, among which is looked for what points to another by its correlation id."""
_AT_ONCE = 500
"""Names in one statement: SQLite takes 32,766, and a plan for that many costs more than it saves."""
_COUNTED = 32
"""Kinds whose counts are asked in one statement: the driver may wait for its turn around each."""
_CELL = tuple(column.name for column in _c.primary_key.columns)
_AT = COLUMNS.index("at")
_cell = itemgetter(*(COLUMNS.index(name) for name in _CELL if name != "minute"))
_SOURCES, _KINDS = frozenset(Source), frozenset(SubjectKind)
_ROWS = 500
"""Rows in one statement: the driver lets other threads run around each statement, and waits to come back."""


# Built once: each batch of a stream asks them.
_RAISED_LATELY = Prepared(
    sa.select(_e.c.source, _e.c.subject_kind, _e.c.subject_name, _e.c.category, _e.c.reason)
    .where(_RAISED, _e.c.recorded_at > sa.bindparam("since", type_=tables.UtcTime))
    .distinct()
)
_MARK_RAISED = Prepared(
    sa.update(_e).where(_e.c.key.in_(sa.bindparam("keys", expanding=True))).values(raised=True)
)


def _sum_of(number: int) -> sa.Label[int]:
    """Return the count of one kind among several, each with parameters of its own."""
    of_kind = (_c.c[name] == sa.bindparam(f"{name}{number}") for name in _CELL if name != "minute")
    within = (_c.c.minute >= sa.bindparam("first"), _c.c.minute < sa.bindparam("end"))
    total = sa.select(sa.func.coalesce(sa.func.sum(_c.c.count), 0)).where(*of_kind, *within)
    return total.scalar_subquery().label(f"sum{number}")


@cache
def _sums(kinds: int) -> Prepared:
    """Return the question for the counts of so many kinds, in one row."""
    return Prepared(sa.select(*map(_sum_of, range(kinds))))


@cache
def _add_counts() -> Prepared:
    """Return what adds to the counts where several replicas write; SQLite's is ``_count_of``."""
    statement = insert_for("postgresql", _c)
    added = {"count": _c.c.count + statement.excluded.count}
    return Prepared(statement.on_conflict_do_update(index_elements=list(_CELL), set_=added))


@cache
def _of(subjects: int, *, of_source: bool, changes_only: bool) -> Prepared:
    """Return the question for the newest events: built once for each number of subjects, not for each alert."""
    since, until = (sa.bindparam(name, type_=tables.UtcTime) for name in ("since", "until"))
    query = sa.select(_e).where(_e.c.at >= since, _e.c.at <= until)
    if subjects:
        about = [
            (_e.c.subject_name == sa.bindparam(f"name{number}"))
            & (_e.c.subject_kind == sa.bindparam(f"kind{number}"))
            for number in range(subjects)
        ]
        query = query.where(sa.or_(*about))
    if of_source:
        query = query.where(_e.c.source == sa.bindparam("source"))
    if changes_only:
        query = query.where(_CHANGE)
    return Prepared(query.order_by(_e.c.at.desc(), _e.c.id.desc()).limit(sa.bindparam("most")))


class EventTable:
    """Implements ``triage.ports.events.Events``."""

    def __init__(self, connection: sa.Connection, unreadable: Unreadable) -> None:
        self._connection = connection
        self._unreadable = unreadable

    def add(self, events: Sequence[DeskEvent], *, now: datetime) -> set[str]:
        """Store events and count their kinds by the minute. Returns the keys of those that were new."""
        if not events:
            return set()
        moment = microseconds(now)
        rows = {event.key: event_values(event, moment) for event in events}
        if self._connection.dialect.name == "sqlite":
            new = self._insert_alone(rows)
        else:
            statement = insert(self._connection, _e).on_conflict_do_nothing(index_elements=["key"])
            by_key = {event.key: event for event in events}
            values = [
                {**dict(zip(COLUMNS, row, strict=True)), "at": by_key[key].at, "recorded_at": now}
                for key, row in rows.items()
            ]
            new = set(self._connection.execute(statement.returning(_e.c.key), values).scalars())
        self._count(rows.values() if len(new) == len(rows) else [rows[key] for key in rows if key in new])
        return new

    def _insert_alone(self, rows: Mapping[str, tuple[Any, ...]]) -> set[str]:
        """Insert where nobody else writes meanwhile, past SQLAlchemy: there are a hundred thousand of them."""
        inserted, values = 0, list(rows.values())
        for start in range(0, len(values), _ROWS):
            some = values[start : start + _ROWS]
            bound = tuple(chain.from_iterable(some))
            inserted += self._connection.exec_driver_sql(_insert_of(len(some)), bound).rowcount
        if inserted == len(rows):
            return set(rows)
        newest = sa.select(_e.c.key).order_by(_e.c.id.desc()).limit(inserted)
        return set(self._connection.execute(newest).scalars())

    def _count(self, rows: Iterable[tuple[Any, ...]]) -> None:
        cells = Counter((*_cell(row), row[_AT] // 60_000_000) for row in rows)
        if self._connection.dialect.name == "sqlite":
            counts = [(*cell, count) for cell, count in cells.items()]
            for start in range(0, len(counts), _ROWS):
                some = counts[start : start + _ROWS]
                self._connection.exec_driver_sql(_count_of(len(some)), tuple(chain.from_iterable(some)))
        elif cells:
            # In one order for every writer: rows locked in different orders lock each other out.
            values = [
                {**dict(zip(_CELL, cell, strict=True)), "count": n} for cell, n in sorted(cells.items())
            ]
            _add_counts().run_each(self._connection, values)

    def raised(self, since: datetime) -> set[EventKind]:
        """Return the kinds of which a signal was made after ``since``."""
        rows = _RAISED_LATELY.rows(self._connection, {"since": since})
        # One that cannot be read is the kind of no event that could come: it would match nothing.
        return {kind_of(row) for row in rows if row["source"] in _SOURCES and row["subject_kind"] in _KINDS}

    def mark_raised(self, keys: Collection[str]) -> None:
        """Remember that signals were made of these events."""
        for some in _portions(keys):
            _MARK_RAISED.run(self._connection, {"keys": padded(some)})

    def counts(self, kinds: Collection[EventKind], *, start: datetime, end: datetime) -> dict[EventKind, int]:
        """Return how many events of each kind happened from ``start`` to ``end`` (whole minutes, end not in it)."""
        found: dict[EventKind, int] = {}
        for some in _portions(kinds, _COUNTED):
            values: dict[str, object] = {"first": minute_of(start), "end": minute_of(end)}
            for number, kind in enumerate(some):
                values.update((f"{name}{number}", value) for name, value in kind_values(kind).items())
            (row,) = _sums(len(some)).tuples(self._connection, values)
            found.update(zip(some, map(int, row), strict=True))
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
        return None if minute is None else tables.EPOCH + minute * MINUTE

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
        values: dict[str, object] = {"since": since, "until": until, "most": limit}
        for number, subject in enumerate(subjects):
            values |= {f"name{number}": clean(subject.name), f"kind{number}": subject.kind.value}
        if source is not None:
            values["source"] = source.value
        query = _of(len(subjects), of_source=source is not None, changes_only=changes_only)
        return read_all(self._connection, query, values, event_of, self._unreadable)[::-1]

    def related(self, events: Collection[DeskEvent], limit: int = 100) -> list[DeskEvent]:
        """Return what the events point to by their correlation ids, and what points to them."""
        here = {event.key for event in events}
        causes = {f"{Source.AUDIT}/{event.correlation_id}" for event in events if event.correlation_id}
        ids = {event.key.partition("/")[2] for event in events if event.source is Source.AUDIT}
        ids |= {event.correlation_id for event in events if event.correlation_id}
        found: dict[str, DeskEvent] = {}
        newest = self._connection.execute(sa.select(sa.func.max(_e.c.id))).scalar() or 0
        lately = _e.c.id > newest - _LATELY
        for some in _portions(sorted(causes - here)):
            found.update(self._keyed(_e.c.key.in_(some), limit))
        for some in _portions(sorted(ids)):
            found.update(self._keyed(lately & _e.c.correlation_id.in_(some), limit))
        for key in here:
            found.pop(key, None)
        return sorted(found.values(), key=lambda event: event.at)[-limit:]

    def _keyed(self, which: sa.ColumnElement[bool], limit: int) -> dict[str, DeskEvent]:
        query = sa.select(_e).where(which).order_by(_e.c.id.desc()).limit(limit)
        found = read_all(self._connection, query, {}, event_of, self._unreadable)
        return {event.key: event for event in found}

    def on_timeline(self, incident_id: int) -> int:
        """Return how many events stand on an incident's timeline."""
        query = sa.select(sa.func.count()).where(
            _t.c.incident_id == incident_id,
            _t.c.kind.in_([TimelineKind.EVENT.value, TimelineKind.CHANGE.value]),
        )
        return int(self._connection.execute(query).scalar_one())

    def park(self, parked: Sequence[Parked], *, now: datetime) -> int:
        """Keep entries aside that do not validate, or that we failed on. Returns how many were new."""
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

    def failed_on(self, stream: str, limit: int = 1000) -> list[Parked]:
        """Return the newest entries of a stream that we failed on, oldest first."""
        query = (
            sa.select(_p.c.stream, _p.c.entry_id, _p.c.reason, _p.c.payload)
            .where(_p.c.stream == clean(stream), _p.c.reason.startswith(FAILED_ON, autoescape=True))
            .order_by(_p.c.id.desc())
            .limit(limit)
        )
        return [Parked(**row) for row in self._connection.execute(query).mappings()][::-1]

    def unpark(self, key: str) -> None:
        """Drop an entry that is taken after all."""
        self._connection.execute(sa.delete(_p).where(_p.c.key == clean(key)))

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
            oldest = sa.select(table.c.id, stored_at.label("at")).order_by(table.c.id).limit(limit).subquery()
            newest = self._connection.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0
            over = (oldest.c.at < before) | (oldest.c.id <= newest - keep)
            last = self._connection.execute(sa.select(sa.func.max(oldest.c.id)).where(over)).scalar()
            if last is not None:
                gone += self._connection.execute(sa.delete(table).where(table.c.id <= last)).rowcount
        self._connection.execute(sa.delete(_c).where(_c.c.minute < minute_of(before)))
        return gone


@cache
def _insert_of(rows: int) -> str:
    return f"{_into('events', COLUMNS, rows)} ON CONFLICT (key) DO NOTHING"


@cache
def _count_of(rows: int) -> str:
    known = f"ON CONFLICT ({', '.join(_CELL)}) DO UPDATE SET count = count + excluded.count"
    return f"{_into('event_counts', (*_CELL, 'count'), rows)} {known}"


def _into(table: str, columns: Sequence[str], rows: int) -> str:
    places = f"({', '.join(['?'] * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([places] * rows)}"  # noqa: S608 - our own columns


def _portions(names: Collection[T], size: int = _AT_ONCE) -> Iterable[list[T]]:
    whole = list(names)
    for start in range(0, len(whole), size):
        yield whole[start : start + size]
