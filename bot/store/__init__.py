"""The desk's memory: SQLAlchemy Core on SQLite or PostgreSQL, one writer, shared commits."""

from bot.store.engine import has_database
from bot.store.store import SqlStore, open_store

__all__ = ["SqlStore", "has_database", "open_store"]
