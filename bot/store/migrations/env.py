"""Alembic's entry: runs migrations on the connection that ``bot.store.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from bot.store import action_tables, event_tables  # noqa: F401 - their tables are part of the metadata
from bot.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
context.run_migrations()
