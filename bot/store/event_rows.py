"""The desk's events as rows of their tables, and back; a row that cannot be read raises ValueError or KeyError."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.store import event_tables, tables
from bot.store.shapes import texts
from bot.store.text import json_text
from triage.desk_events import DeskEvent, EventKind, Gravity
from triage.model import Source, Subject, SubjectKind

COLUMNS = tuple(column.name for column in event_tables.events.columns if column.name not in {"id", "raised"})
"""What is given of an event when it is stored, in this order."""
MINUTE = timedelta(minutes=1)
_NAMES: dict[str, str] = {member: member.value for kind in (Source, SubjectKind, Gravity) for member in kind}
"""An enum's own ``value`` is a call; this is asked for three times an event."""


def microseconds(at: datetime) -> int:
    """Return the whole microseconds since 1970 UTC, as every time is kept."""
    return (at - tables.EPOCH) // tables.MICROSECOND


def minute_of(at: datetime) -> int:
    """Return the whole minutes since 1970 UTC."""
    return (at - tables.EPOCH) // MINUTE


def event_values(event: DeskEvent, recorded_at: int) -> tuple[Any, ...]:
    """Return an event as the driver takes it, in the order of ``COLUMNS``."""
    key, source, at, subject, gravity, category, text, reason, correlation_id, change, data = event
    return (
        key,
        _NAMES[source],
        microseconds(at),
        recorded_at,
        _NAMES[subject.kind],
        subject.name,
        _NAMES[gravity],
        category,
        reason,
        text,
        correlation_id,
        change,
        json_text(data) if data else "",
    )


def event_of(row: Mapping[Any, Any]) -> DeskEvent:
    """Read an event."""
    texts(row, "subject_name", "category", "reason", "text", "correlation_id")
    data = json.loads(row["data"]) if row["data"] else {}
    if type(data) is not dict:
        raise ValueError("data is no object of JSON")
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
        data=data,
    )


def kind_values(kind: EventKind) -> dict[str, str]:
    """Return the columns that make a kind of event."""
    return {
        "source": kind.source.value,
        "subject_kind": kind.subject.kind.value,
        "subject_name": kind.subject.name,
        "category": kind.category,
        "reason": kind.reason,
    }


def kind_of(row: Mapping[Any, Any]) -> EventKind:
    """Read the kind of an event."""
    subject = Subject(SubjectKind(row["subject_kind"]), row["subject_name"])
    return EventKind(Source(row["source"]), subject, row["category"], row["reason"])
