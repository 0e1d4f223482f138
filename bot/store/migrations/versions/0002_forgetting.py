"""Indexes by which old incidents and old findings are forgotten without reading every message and run there ever was."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_messages_incident_id", "messages", ["incident_id"], unique=False)
    op.create_index("ix_triage_runs_finished_at", "triage_runs", ["finished_at"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_triage_runs_finished_at", table_name="triage_runs")
    op.drop_index("ix_messages_incident_id", table_name="messages")
