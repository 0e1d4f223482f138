"""Reads records so that one which cannot be read costs only itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa

from bot.store.database_errors import of_a_value
from bot.store.health import Unreadable
from bot.store.prepared import Prepared
from triage.errors import RecordUnreadable

T = TypeVar("T")


def read_all(
    connection: sa.Connection,
    query: sa.Select[Any] | Prepared,
    values: Mapping[str, Any],
    make: Callable[[Mapping[Any, Any]], T],
    unreadable: Unreadable,
    *,
    key: sa.Column[Any] | None = None,
) -> list[T]:
    """Return what a query finds, in its order; a record that cannot be read is noted and left out.

    ``key``: the column that names a record, the ``id`` of the one table that is asked where it is not given. An error
    of the database itself is raised.
    """
    try:
        if isinstance(query, Prepared):
            return [make(row) for row in query.rows(connection, values)]
        return [make(row) for row in connection.execute(query, values).mappings()]
    except Exception as error:
        if isinstance(error, sa.exc.DBAPIError) and not of_a_value(error):
            raise
        select = query.statement if isinstance(query, Prepared) else query
        return _one_by_one(connection, select, values, make, unreadable, key=key)


@contextmanager
def whole_or_unreadable(what: str) -> Iterator[None]:
    """Have the block raise RecordUnreadable where what it reads is no record; an error of the database stays itself."""
    try:
        yield
    except Exception as error:
        if isinstance(error, sa.exc.DBAPIError) and not of_a_value(error):
            raise
        why = " ".join(str(error).split())
        raise RecordUnreadable(f"{what} cannot be read: {type(error).__name__}: {why}") from error


def _one_by_one(
    connection: sa.Connection,
    query: sa.Select[Any],
    values: Mapping[str, Any],
    make: Callable[[Mapping[Any, Any]], T],
    unreadable: Unreadable,
    *,
    key: sa.Column[Any] | None,
) -> list[T]:
    column = query.get_final_froms()[0].c["id"] if key is None else key
    found = []
    alone = query.limit(None).offset(None)
    for record in connection.execute(query.with_only_columns(column), values).scalars().all():
        try:
            row = connection.execute(alone.where(column == record), values).mappings().first()
            if row is not None:
                found.append(make(row))
        except Exception as error:
            if isinstance(error, sa.exc.DBAPIError) and not of_a_value(error):
                raise
            unreadable.note(str(getattr(column.table, "name", "records")), record, error)
    return found
