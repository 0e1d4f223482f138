"""INSERT … ON CONFLICT, which both databases know but SQLAlchemy keeps in their dialects."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from bot.store.prepared import Prepared

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert(connection: sa.Connection, table: sa.Table) -> postgresql.Insert:
    """Return the INSERT of the connection's dialect, with ``on_conflict_*`` and ``excluded``.

    Both dialects' classes have the same methods here; the annotation names one of them.
    """
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: sa.Table) -> postgresql.Insert:
    """As ``insert``, by the dialect's name: for statements that are built once."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - takes 3 MB that SQLite does not need

        return postgresql.insert(table)
    return sqlite.insert(table)  # type: ignore[return-value]


def insert_or_leave(connection: sa.Connection, table: sa.Table, *key: str) -> Prepared:
    """Return the INSERT, to be given rows, that leaves alone what has the same key already."""
    return _or_leave(connection.dialect.name, table, key)


def insert_or_update(
    connection: sa.Connection, table: sa.Table, *key: str, changing: tuple[str, ...]
) -> Prepared:
    """Return the INSERT, to be given rows, that changes these columns of what has the same key already."""
    return _or_update(connection.dialect.name, table, key, changing)


# Building such a statement takes longer than running it: each is made once.


@cache
def _or_leave(dialect: str, table: sa.Table, key: tuple[str, ...]) -> Prepared:
    return Prepared(insert_for(dialect, table).on_conflict_do_nothing(index_elements=key))


@cache
def _or_update(dialect: str, table: sa.Table, key: tuple[str, ...], changing: tuple[str, ...]) -> Prepared:
    statement = insert_for(dialect, table)
    values = {name: statement.excluded[name] for name in changing}
    return Prepared(statement.on_conflict_do_update(index_elements=key, set_=values))
