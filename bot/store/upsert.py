"""INSERT … ON CONFLICT, which both databases know but SQLAlchemy keeps in their dialects."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: sa.Connection, table: sa.Table) -> postgresql.Insert:
    """Return the INSERT of the connection's dialect, with ``on_conflict_*`` and ``excluded``.

    Both dialects' classes have the same methods here; the annotation names one of them.
    """
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)  # type: ignore[return-value]
