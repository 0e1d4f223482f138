"""Timelines: only ever added to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from bot.store import tables
from bot.store.health import Unreadable
from bot.store.prepared import Prepared
from bot.store.reading import read_all
from bot.store.shapes import json_object, texts
from bot.store.text import clean
from bot.store.upsert import insert_for, insert_or_leave
from triage.model import TimelineEntry, TimelineKind

_t = tables.timeline
_of = sa.select(_t).where(_t.c.incident_id == sa.bindparam("incident")).order_by(_t.c.at, _t.c.id)
_OF = Prepared(_of)
_OF_KINDS = Prepared(_of.where(_t.c.kind.in_(sa.bindparam("kinds", expanding=True))))
_ONE = Prepared(sa.select(_t).where(_t.c.id == sa.bindparam("entry")))


@cache
def _adding(dialect: str) -> Prepared:
    statement = insert_for(dialect, _t).on_conflict_do_nothing(index_elements=["key"])
    return Prepared(statement.returning(_t.c.id))


class TimelineTable:
    """Implements ``triage.ports.store.Timeline``."""

    def __init__(self, connection: sa.Connection, unreadable: Unreadable) -> None:
        self._connection = connection
        self._unreadable = unreadable

    def add(self, entry: TimelineEntry) -> int | None:
        """Append an entry and return its id; None when its ``key`` is there already."""
        entry_id = _adding(self._connection.dialect.name).scalar(self._connection, _row(entry))
        return None if entry_id is None else int(entry_id)

    def add_all(self, entries: Sequence[TimelineEntry]) -> None:
        """Append entries whose ids nobody needs; one whose ``key`` is there already is left out."""
        if entries:
            rows = [_row(entry) for entry in entries]
            insert_or_leave(self._connection, _t, "key").run_each(self._connection, rows)

    def of(self, incident_id: int, *kinds: TimelineKind) -> list[TimelineEntry]:
        """Return an incident's entries, those of some kinds where given, in the order in which things happened."""
        values: dict[str, object] = {"incident": incident_id}
        if kinds:
            values["kinds"] = [kind.value for kind in kinds]
        return self._entries(_OF_KINDS if kinds else _OF, values)

    def get(self, entry_id: int) -> TimelineEntry | None:
        """Return one entry."""
        return next(iter(self._entries(_ONE, {"entry": entry_id})), None)

    def _entries(self, query: Prepared, values: Mapping[str, object]) -> list[TimelineEntry]:
        return read_all(self._connection, query, values, _entry, self._unreadable)


def _row(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "incident_id": entry.incident_id,
        "at": entry.at,
        "recorded_at": entry.recorded_at,
        "kind": entry.kind.value,
        "text": clean(entry.text),
        "actor": clean(entry.actor),
        "source": clean(entry.source),
        "key": clean(entry.key) or None,
        "told": entry.in_thread,
        "data": dict(entry.data),
    }


def _entry(row: Mapping[Any, Any]) -> TimelineEntry:
    texts(row, "text", "actor", "source")
    return TimelineEntry(
        id=row["id"],
        incident_id=row["incident_id"],
        at=row["at"],
        recorded_at=row["recorded_at"],
        kind=TimelineKind(row["kind"]),
        text=row["text"],
        actor=row["actor"],
        source=row["source"],
        key=row["key"] or "",
        in_thread=row["told"],
        data=json_object(row, "data"),
    )
