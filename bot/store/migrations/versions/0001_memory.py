"""The whole memory: signals, incidents, triage, outbox, audit, actions, events.

Not edited any more: services of two commits run side by side on it. What changes the schema is a migration that only adds.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import bot.store.tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    _create_incidents()
    _create_actions()
    _create_events()
    _create_answers()


def downgrade() -> None:
    """Take back."""
    _drop_answers()
    _drop_events()
    _drop_actions()
    _drop_incidents()


def _create_incidents() -> None:
    op.create_table(
        "audit",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    op.create_table(
        "documents",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("made_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
    )
    with op.batch_alter_table("documents", schema=None) as batch_op:
        batch_op.create_index("ix_documents_kind_made_at", ["kind", "made_at"], unique=False)

    op.create_table(
        "incidents",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subjects", sa.JSON(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("shape", sa.Text(), nullable=False),
        sa.Column("opened_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("changed_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("acknowledged_at", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=False),
        sa.Column("mitigated_at", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("resolved_at", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("quiet", sa.Boolean(), nullable=False),
        sa.Column("last_seen_at", bot.store.tables.UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sa.UniqueConstraint("handle", name=op.f("uq_incidents_handle")),
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index("ix_incidents_status_changed_at", ["status", "changed_at"], unique=False)
        batch_op.create_index(
            "ix_incidents_open",
            ["id"],
            unique=False,
            sqlite_where=sa.text("status <> 'resolved'"),
            postgresql_where=sa.text("status <> 'resolved'"),
        )
        batch_op.create_index(
            "ix_incidents_storms",
            ["opened_at"],
            unique=False,
            sqlite_where=sa.text("shape = 'storm'"),
            postgresql_where=sa.text("shape = 'storm'"),
        )

    op.create_table(
        "notes",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notes")),
    )
    op.create_table(
        "periods",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("at", bot.store.tables.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", "period", name=op.f("pk_periods")),
    )
    op.create_table(
        "signals",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("episode", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("starts_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("ends_at", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("received_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("last_seen_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("seen", sa.Integer(), server_default="1", nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("annotations", sa.JSON(), nullable=False),
        sa.Column("generator_url", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
        sa.UniqueConstraint("key", name=op.f("uq_signals_key")),
    )
    with op.batch_alter_table("signals", schema=None) as batch_op:
        batch_op.create_index(
            "ix_signals_inbox",
            ["id"],
            unique=False,
            sqlite_where=sa.text("outcome = ''"),
            postgresql_where=sa.text("outcome = ''"),
        )
        batch_op.create_index("ix_signals_episode", ["episode"], unique=False)
        batch_op.create_index("ix_signals_incident_id", ["incident_id"], unique=False)
        batch_op.create_index("ix_signals_last_seen_at", ["last_seen_at"], unique=False)

    op.create_table(
        "episodes",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("episode", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("firing", sa.Boolean(), nullable=False),
        sa.Column("is_event", sa.Boolean(), nullable=False),
        sa.Column("starts_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("ends_at", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("last_seen_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("annotations", sa.JSON(), nullable=False),
        sa.Column("generator_url", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_episodes_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_episodes")),
        sa.UniqueConstraint("source", "episode", name=op.f("uq_episodes_source_episode")),
    )
    with op.batch_alter_table("episodes", schema=None) as batch_op:
        batch_op.create_index("ix_episodes_fingerprint", ["fingerprint"], unique=False)
        batch_op.create_index("ix_episodes_incident_id", ["incident_id"], unique=False)

    op.create_table(
        "messages",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("wanted_revision", sa.Integer(), nullable=False),
        sa.Column("sent_revision", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("created_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("wanted_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("attempted_at", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("unsure_until", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("confirm_at", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("lease_owner", sa.Text(), nullable=False),
        sa.Column("lease_until", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_messages_incident_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["messages.id"], name=op.f("fk_messages_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_messages_delivery_id")),
        sa.UniqueConstraint("kind", "ref", name=op.f("uq_messages_kind_ref")),
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.create_index("ix_messages_channel_id_post_id", ["channel_id", "post_id"], unique=False)
        batch_op.create_index(
            "ix_messages_due",
            ["urgency", "id"],
            unique=False,
            sqlite_where=sa.text("sent_revision < wanted_revision"),
            postgresql_where=sa.text("sent_revision < wanted_revision"),
        )
        batch_op.create_index(
            "ix_messages_confirm_at",
            ["confirm_at"],
            unique=False,
            sqlite_where=sa.text("confirm_at IS NOT NULL"),
            postgresql_where=sa.text("confirm_at IS NOT NULL"),
        )
        batch_op.create_index("ix_messages_parent_id", ["parent_id"], unique=False)

    op.create_table(
        "timeline",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("recorded_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_timeline_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timeline")),
        sa.UniqueConstraint("key", name=op.f("uq_timeline_key")),
    )
    with op.batch_alter_table("timeline", schema=None) as batch_op:
        batch_op.create_index("ix_timeline_incident_id_at", ["incident_id", "at"], unique=False)

    op.create_table(
        "triage_runs",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("requested_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("not_before", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("started_at", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("finished_at", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("verdict", sa.JSON(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=False),
        sa.Column("lease_until", bot.store.tables.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_triage_runs_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triage_runs")),
    )
    with op.batch_alter_table("triage_runs", schema=None) as batch_op:
        batch_op.create_index("ix_triage_runs_incident_id", ["incident_id"], unique=False)
        batch_op.create_index(
            "ix_triage_runs_waiting",
            ["id"],
            unique=False,
            sqlite_where=sa.text("status <> 'done'"),
            postgresql_where=sa.text("status <> 'done'"),
        )

    op.create_table(
        "findings",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("observed_at", bot.store.tables.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["triage_runs.id"], name=op.f("fk_findings_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
    )
    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.create_index("ix_findings_run_id", ["run_id"], unique=False)


def _create_actions() -> None:
    op.create_table(
        "actions",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("proposed_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("expires_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("lease_until", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("verify_at", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_actions_incident_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["actions.id"], name=op.f("fk_actions_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actions")),
        sa.UniqueConstraint("handle", name=op.f("uq_actions_handle")),
    )
    with op.batch_alter_table("actions", schema=None) as batch_op:
        batch_op.create_index("ix_actions_incident_id", ["incident_id"], unique=False)
        batch_op.create_index("ix_actions_parent_id", ["parent_id"], unique=False)
        batch_op.create_index("ix_actions_status", ["status"], unique=False)
        batch_op.create_index(
            "ix_actions_verify_at",
            ["verify_at"],
            unique=False,
            sqlite_where=sa.text("verify_at IS NOT NULL"),
            postgresql_where=sa.text("verify_at IS NOT NULL"),
        )

    op.create_table(
        "action_locks",
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("action_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("locked_at", bot.store.tables.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["actions.id"], name=op.f("fk_action_locks_action_id")),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_action_locks")),
    )
    with op.batch_alter_table("action_locks", schema=None) as batch_op:
        batch_op.create_index("ix_action_locks_action_id", ["action_id"], unique=False)

    op.create_table(
        "action_plans",
        sa.Column("action_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["actions.id"], name=op.f("fk_action_plans_action_id")),
        sa.PrimaryKeyConstraint("action_id", "digest", name=op.f("pk_action_plans")),
    )
    op.create_table(
        "action_steps",
        sa.Column("action_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("finished_at", bot.store.tables.UtcTime(), nullable=True),
        sa.Column("output", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["action_id"], ["actions.id"], name=op.f("fk_action_steps_action_id")),
        sa.PrimaryKeyConstraint("action_id", "number", name=op.f("pk_action_steps")),
    )


def _create_events() -> None:
    op.create_table(
        "event_counts",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("minute", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "source",
            "subject_kind",
            "subject_name",
            "category",
            "reason",
            "minute",
            name=op.f("pk_event_counts"),
        ),
    )
    with op.batch_alter_table("event_counts", schema=None) as batch_op:
        batch_op.create_index("ix_event_counts_minute", ["minute"], unique=False)

    op.create_table(
        "events",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("recorded_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_name", sa.Text(), nullable=False),
        sa.Column("gravity", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("change", sa.Boolean(), nullable=False),
        sa.Column("raised", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("key", name=op.f("uq_events_key")),
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index(
            "ix_events_change_at",
            ["at"],
            unique=False,
            sqlite_where=sa.text("change"),
            postgresql_where=sa.text("change"),
        )
        batch_op.create_index(
            "ix_events_raised",
            ["recorded_at"],
            unique=False,
            sqlite_where=sa.text("raised"),
            postgresql_where=sa.text("raised"),
        )
        batch_op.create_index("ix_events_subject_name_at", ["subject_name", "at"], unique=False)

    op.create_table(
        "parked_entries",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("parked_at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked_entries")),
        sa.UniqueConstraint("key", name=op.f("uq_parked_entries_key")),
    )


def _create_answers() -> None:
    op.create_table(
        "triage_evidence",
        sa.Column(
            "run_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["triage_runs.id"], name=op.f("fk_triage_evidence_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_triage_evidence")),
    )

    op.create_table(
        "cause_answers",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", bot.store.tables.UtcTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("right", sa.Boolean(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("strength", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_cause_answers_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cause_answers")),
        sa.UniqueConstraint("incident_id", name=op.f("uq_cause_answers_incident_id")),
    )
    with op.batch_alter_table("cause_answers", schema=None) as batch_op:
        batch_op.create_index("ix_cause_answers_at", ["at"], unique=False)

    op.create_table(
        "incident_traits",
        sa.Column(
            "incident_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("trait", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_traits_incident_id")
        ),
        sa.PrimaryKeyConstraint("incident_id", "trait", name=op.f("pk_incident_traits")),
    )
    with op.batch_alter_table("incident_traits", schema=None) as batch_op:
        batch_op.create_index("ix_incident_traits_trait_incident_id", ["trait", "incident_id"], unique=False)


def _drop_answers() -> None:
    with op.batch_alter_table("incident_traits", schema=None) as batch_op:
        batch_op.drop_index("ix_incident_traits_trait_incident_id")

    op.drop_table("incident_traits")
    with op.batch_alter_table("cause_answers", schema=None) as batch_op:
        batch_op.drop_index("ix_cause_answers_at")

    op.drop_table("cause_answers")
    op.drop_table("triage_evidence")


def _drop_events() -> None:
    op.drop_table("parked_entries")
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_events_change_at", sqlite_where=sa.text("change"), postgresql_where=sa.text("change")
        )
        batch_op.drop_index("ix_events_subject_name_at")
        batch_op.drop_index(
            "ix_events_raised", sqlite_where=sa.text("raised"), postgresql_where=sa.text("raised")
        )

    op.drop_table("events")
    with op.batch_alter_table("event_counts", schema=None) as batch_op:
        batch_op.drop_index("ix_event_counts_minute")

    op.drop_table("event_counts")


def _drop_actions() -> None:
    op.drop_table("action_steps")
    op.drop_table("action_plans")
    with op.batch_alter_table("action_locks", schema=None) as batch_op:
        batch_op.drop_index("ix_action_locks_action_id")

    op.drop_table("action_locks")
    with op.batch_alter_table("actions", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_actions_verify_at",
            sqlite_where=sa.text("verify_at IS NOT NULL"),
            postgresql_where=sa.text("verify_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_actions_status")
        batch_op.drop_index("ix_actions_parent_id")
        batch_op.drop_index("ix_actions_incident_id")

    op.drop_table("actions")


def _drop_incidents() -> None:
    with op.batch_alter_table("findings", schema=None) as batch_op:
        batch_op.drop_index("ix_findings_run_id")

    op.drop_table("findings")
    with op.batch_alter_table("triage_runs", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_triage_runs_waiting",
            sqlite_where=sa.text("status <> 'done'"),
            postgresql_where=sa.text("status <> 'done'"),
        )
        batch_op.drop_index("ix_triage_runs_incident_id")

    op.drop_table("triage_runs")
    with op.batch_alter_table("timeline", schema=None) as batch_op:
        batch_op.drop_index("ix_timeline_incident_id_at")

    op.drop_table("timeline")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index("ix_messages_parent_id")
        batch_op.drop_index(
            "ix_messages_due",
            sqlite_where=sa.text("sent_revision < wanted_revision"),
            postgresql_where=sa.text("sent_revision < wanted_revision"),
        )
        batch_op.drop_index("ix_messages_channel_id_post_id")

    op.drop_table("messages")
    with op.batch_alter_table("episodes", schema=None) as batch_op:
        batch_op.drop_index("ix_episodes_incident_id")
        batch_op.drop_index("ix_episodes_fingerprint")

    op.drop_table("episodes")
    with op.batch_alter_table("signals", schema=None) as batch_op:
        batch_op.drop_index("ix_signals_last_seen_at")
        batch_op.drop_index("ix_signals_incident_id")
        batch_op.drop_index("ix_signals_episode")
        batch_op.drop_index(
            "ix_signals_inbox", sqlite_where=sa.text("outcome = ''"), postgresql_where=sa.text("outcome = ''")
        )

    op.drop_table("signals")
    op.drop_table("periods")
    op.drop_table("notes")
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_incidents_open",
            sqlite_where=sa.text("status <> 'resolved'"),
            postgresql_where=sa.text("status <> 'resolved'"),
        )
        batch_op.drop_index(
            "ix_incidents_storms",
            sqlite_where=sa.text("shape = 'storm'"),
            postgresql_where=sa.text("shape = 'storm'"),
        )
        batch_op.drop_index("ix_incidents_status_changed_at")

    op.drop_table("incidents")
    with op.batch_alter_table("documents", schema=None) as batch_op:
        batch_op.drop_index("ix_documents_kind_made_at")

    op.drop_table("documents")
    op.drop_table("audit")
