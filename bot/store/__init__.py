"""The desk's memory: SQLAlchemy Core on SQLite or PostgreSQL, one writer, shared commits."""
