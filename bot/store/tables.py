"""The tables. Times are kept as whole microseconds since 1970 UTC: they sort, and every database has them.

A partial index names its condition for SQLite; on PostgreSQL it has the same one, from the migration: an index that names
it here would load that dialect, 3 MB, in a service that runs on SQLite.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since 1970 UTC."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:
        """Refuse naive times: they would be silently shifted."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: every time in this project is aware and in UTC")
        return (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:
        """Give back an aware UTC datetime."""
        del dialect
        return None if value is None else EPOCH + timedelta(microseconds=value)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives rising ids for nothing else but INTEGER PRIMARY KEY; elsewhere ids are 64 bits wide.
_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _id() -> sa.Column[int]:
    return sa.Column("id", _Id, primary_key=True, autoincrement=True)


signals = sa.Table(
    "signals",
    metadata,
    _id(),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("episode", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("subject_kind", sa.Text, nullable=False),
    sa.Column("subject_name", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("starts_at", UtcTime, nullable=False),
    sa.Column("ends_at", UtcTime),
    sa.Column("received_at", UtcTime, nullable=False),
    sa.Column("last_seen_at", UtcTime, nullable=False),
    sa.Column("seen", sa.Integer, nullable=False, server_default="1"),
    sa.Column("labels", sa.JSON, nullable=False),
    sa.Column("annotations", sa.JSON, nullable=False),
    sa.Column("generator_url", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("incident_id", _Id),
    sa.Column("outcome", sa.Text, nullable=False, server_default=""),
    sa.Index("ix_signals_incident_id", "incident_id"),
    sa.Index("ix_signals_episode", "episode"),
    # The inbox of correlation: a partial index stays tiny however long the history grows.
    sa.Index(
        "ix_signals_inbox",
        "id",
        sqlite_where=sa.text("outcome = ''"),
    ),
    sa.Index("ix_signals_last_seen_at", "last_seen_at"),
)

incidents = sa.Table(
    "incidents",
    metadata,
    _id(),
    sa.Column("handle", sa.Text, nullable=False, unique=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("subjects", sa.JSON, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("shape", sa.Text, nullable=False),
    sa.Column("opened_at", UtcTime, nullable=False),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("acknowledged_at", UtcTime),
    sa.Column("acknowledged_by", sa.Text, nullable=False),
    sa.Column("mitigated_at", UtcTime),
    sa.Column("resolved_at", UtcTime),
    sa.Column("resolved_by", sa.Text, nullable=False),
    sa.Column("reopened", sa.Integer, nullable=False),
    sa.Column("quiet", sa.Boolean, nullable=False),
    sa.Column("last_seen_at", UtcTime),
    sa.Index("ix_incidents_status_changed_at", "status", "changed_at"),
    sa.Index(
        "ix_incidents_open",
        "id",
        sqlite_where=sa.text("status <> 'resolved'"),
    ),
    sa.Index(
        "ix_incidents_storms",
        "opened_at",
        sqlite_where=sa.text("shape = 'storm'"),
    ),
)

episodes = sa.Table(
    "episodes",
    metadata,
    _id(),
    sa.Column("incident_id", _Id, sa.ForeignKey("incidents.id"), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("episode", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("subject_kind", sa.Text, nullable=False),
    sa.Column("subject_name", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("firing", sa.Boolean, nullable=False),
    sa.Column("is_event", sa.Boolean, nullable=False),
    sa.Column("starts_at", UtcTime, nullable=False),
    sa.Column("ends_at", UtcTime),
    sa.Column("last_seen_at", UtcTime, nullable=False),
    sa.Column("labels", sa.JSON, nullable=False),
    sa.Column("annotations", sa.JSON, nullable=False),
    sa.Column("generator_url", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    # What its label says of its severity: a storm's thousands are counted by it.
    sa.Column("word", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("source", "episode"),
    sa.Index("ix_episodes_incident_id", "incident_id"),
    sa.Index("ix_episodes_fingerprint", "fingerprint"),
)

timeline = sa.Table(
    "timeline",
    metadata,
    _id(),
    sa.Column("incident_id", _Id, sa.ForeignKey("incidents.id"), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("recorded_at", UtcTime, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("key", sa.Text, unique=True),
    sa.Column("told", sa.Boolean, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Index("ix_timeline_incident_id_at", "incident_id", "at"),
)

runs = sa.Table(
    "triage_runs",
    metadata,
    _id(),
    sa.Column("incident_id", _Id, sa.ForeignKey("incidents.id"), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("playbook", sa.Text, nullable=False),
    sa.Column("requested_at", UtcTime, nullable=False),
    sa.Column("not_before", UtcTime, nullable=False),
    sa.Column("started_at", UtcTime),
    sa.Column("finished_at", UtcTime),
    sa.Column("verdict", sa.JSON, nullable=False),
    sa.Column("lease_owner", sa.Text, nullable=False),
    sa.Column("lease_until", UtcTime),
    sa.Index("ix_triage_runs_incident_id", "incident_id"),
    sa.Index("ix_triage_runs_finished_at", "finished_at"),
    sa.Index(
        "ix_triage_runs_waiting",
        "id",
        sqlite_where=sa.text("status <> 'done'"),
    ),
)

findings = sa.Table(
    "findings",
    metadata,
    _id(),
    sa.Column("run_id", _Id, sa.ForeignKey("triage_runs.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("headline", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("observed_at", UtcTime),
    sa.Index("ix_findings_run_id", "run_id"),
)

# Apart from the runs: read whenever a card is rendered, they would carry it along.
evidence = sa.Table(
    "triage_evidence",
    metadata,
    sa.Column("run_id", _Id, sa.ForeignKey("triage_runs.id"), primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

cause_answers = sa.Table(
    "cause_answers",
    metadata,
    _id(),
    sa.Column("incident_id", _Id, sa.ForeignKey("incidents.id"), nullable=False, unique=True),
    sa.Column("run_id", _Id, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("right", sa.Boolean, nullable=False),
    sa.Column("said", sa.Text, nullable=False),
    sa.Column("strength", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("ix_cause_answers_at", "at"),
)

traits = sa.Table(
    "incident_traits",
    metadata,
    sa.Column("incident_id", _Id, sa.ForeignKey("incidents.id"), primary_key=True, autoincrement=False),
    sa.Column("trait", sa.Text, primary_key=True),
    sa.Index("ix_incident_traits_trait_incident_id", "trait", "incident_id"),
)

messages = sa.Table(
    "messages",
    metadata,
    _id(),
    sa.Column("delivery_id", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("incident_id", _Id, sa.ForeignKey("incidents.id")),
    sa.Column("parent_id", _Id, sa.ForeignKey("messages.id")),
    sa.Column("wanted_revision", sa.Integer, nullable=False),
    sa.Column("sent_revision", sa.Integer, nullable=False),
    sa.Column("post_id", sa.Text, nullable=False),
    sa.Column("channel_id", sa.Text, nullable=False),
    sa.Column("urgency", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", UtcTime, nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    sa.Column("wanted_at", UtcTime, nullable=False),
    sa.Column("attempted_at", UtcTime),
    sa.Column("unsure_until", UtcTime),
    sa.Column("confirm_at", UtcTime),
    sa.Column("lease_owner", sa.Text, nullable=False),
    sa.Column("lease_until", UtcTime),
    sa.Column("last_error", sa.Text, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.UniqueConstraint("kind", "ref"),
    sa.Index("ix_messages_parent_id", "parent_id"),
    # Where an incident is removed, the database itself asks whether a message refers to it.
    sa.Index("ix_messages_incident_id", "incident_id"),
    sa.Index("ix_messages_channel_id_post_id", "channel_id", "post_id"),
    sa.Index(
        "ix_messages_due",
        "urgency",
        "id",
        sqlite_where=sa.text("sent_revision < wanted_revision"),
    ),
    # Hardly ever holds a row: what Slack may still do though we gave it up.
    sa.Index(
        "ix_messages_confirm_at",
        "confirm_at",
        sqlite_where=sa.text("confirm_at IS NOT NULL"),
    ),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", _Id, primary_key=True, autoincrement=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    # The text that was hashed, not JSON: a database may reorder JSON, and then the chain would not verify.
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
)

notes = sa.Table(
    "notes",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

periods = sa.Table(
    "periods",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("period", sa.Text, primary_key=True),
    sa.Column("at", UtcTime, nullable=False),
)

documents = sa.Table(
    "documents",
    metadata,
    _id(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("made_at", UtcTime, nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Index("ix_documents_kind_made_at", "kind", "made_at"),
)
