"""The tables of what the desk said: events, their counts by the minute, entries that were parked."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.tables import UtcTime, metadata

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("recorded_at", UtcTime, nullable=False),
    sa.Column("subject_kind", sa.Text, nullable=False),
    sa.Column("subject_name", sa.Text, nullable=False),
    sa.Column("gravity", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("correlation_id", sa.Text, nullable=False),
    sa.Column("change", sa.Boolean, nullable=False),
    sa.Column("raised", sa.Boolean, nullable=False, server_default=sa.false()),
    # JSON as text: it is written a hundred thousand times for each time it is read.
    sa.Column("data", sa.Text, nullable=False),
    sa.Index("ix_events_subject_name_at", "subject_name", "at"),
    # None on correlation_id: ids are random, and such an index would write a page for each event.
    sa.Index("ix_events_change_at", "at", sqlite_where=sa.text("change")),
    sa.Index(
        "ix_events_raised",
        "recorded_at",
        sqlite_where=sa.text("raised"),
    ),
)

event_counts = sa.Table(
    "event_counts",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("subject_kind", sa.Text, primary_key=True),
    sa.Column("subject_name", sa.Text, primary_key=True),
    sa.Column("category", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, primary_key=True),
    # Whole minutes since 1970 UTC.
    sa.Column("minute", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Index("ix_event_counts_minute", "minute"),
)

parked = sa.Table(
    "parked_entries",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("entry_id", sa.Text, nullable=False),
    sa.Column("parked_at", UtcTime, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
)
