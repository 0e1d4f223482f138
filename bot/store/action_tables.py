"""The tables of actions: the action, the plans that were shown, its steps, and the lock on its target."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.tables import UtcTime, metadata

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")

actions = sa.Table(
    "actions",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=True),
    sa.Column("handle", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("incident_id", _Id, sa.ForeignKey("incidents.id")),
    sa.Column("parent_id", _Id, sa.ForeignKey("actions.id")),
    sa.Column("proposed_at", UtcTime, nullable=False),
    sa.Column("expires_at", UtcTime, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("lease_until", UtcTime),
    sa.Column("verify_at", UtcTime),
    # Everything else is read and written as a whole, by one who holds the row.
    sa.Column("record", sa.JSON, nullable=False),
    sa.Index("ix_actions_incident_id", "incident_id"),
    sa.Index("ix_actions_parent_id", "parent_id"),
    sa.Index("ix_actions_status", "status"),
    sa.Index(
        "ix_actions_verify_at",
        "verify_at",
        sqlite_where=sa.text("verify_at IS NOT NULL"),
    ),
)

action_plans = sa.Table(
    "action_plans",
    metadata,
    sa.Column("action_id", _Id, sa.ForeignKey("actions.id"), primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("plan", sa.JSON, nullable=False),
)

action_steps = sa.Table(
    "action_steps",
    metadata,
    sa.Column("action_id", _Id, sa.ForeignKey("actions.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("shown", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("started_at", UtcTime),
    sa.Column("finished_at", UtcTime),
    sa.Column("output", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)

action_locks = sa.Table(
    "action_locks",
    metadata,
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("action_id", _Id, sa.ForeignKey("actions.id"), nullable=False),
    sa.Column("locked_at", UtcTime, nullable=False),
    sa.Index("ix_action_locks_action_id", "action_id"),
)
